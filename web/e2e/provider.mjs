// SPDX-License-Identifier: Apache-2.0
/**
 * A real OpenID provider (panva's oidc-provider) for tests: node e2e/provider.mjs PORT REDIRECT_URI. Anybody
 * may sign in by any name. Access tokens are JWTs that a page renews two seconds after it got them.
 */
import Provider from "oidc-provider";

const [port, redirect] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "todo-chat",
      // Plain http on the loopback is for native clients only (RFC 8252 7.3).
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      redirect_uris: [redirect],
    },
  ],
  pkce: { required: () => true },
  clientBasedCORS: () => true,
  features: {
    devInteractions: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => "urn:todo-chatbot",
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: "",
        audience: "todo-chatbot",
        accessTokenFormat: "jwt",
        accessTokenTTL: 62,
      }),
    },
  },
});

provider.on("server_error", (_context, error) => console.error(error));
provider.listen(Number(port), "127.0.0.1", () => console.log(`listening at ${issuer}`));
