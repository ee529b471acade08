// SPDX-License-Identifier: Apache-2.0
/**
 * Signing in at an OpenID provider: the code flow with PKCE (OpenID Connect Core 3.1, RFC 7636), all of
 * it between this page and the provider. The access token is the gateway's token; a refresh token
 * renews it before it ends.
 */
import { ApiError, type Provider, providerOf } from "../api.ts";

/** How a session renews its token. */
export interface Renewal {
  issuer: string;
  client_id: string;
  refresh_token: string;
}

export interface Granted {
  token: string;
  user: string;
  expires?: number;
  renewal?: Renewal;
}

interface Endpoints {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  revocation_endpoint?: string;
}

interface Tokens {
  access_token: string;
  refresh_token?: string;
  expires_in?: number;
}

/** What is remembered in this tab from leaving for the provider until coming back. */
interface Begun {
  provider: Provider;
  state: string;
  verifier: string;
}

const KEY = "oidc";

/** Where this server's users sign in; undefined: by codes only, or it cannot be reached. */
export async function provider(): Promise<Provider | undefined> {
  return providerOf().catch(() => undefined);
}

async function endpoints(issuer: string): Promise<Endpoints> {
  const answer = await fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (!answer.ok) throw new ApiError(answer.status, "");
  const found = (await answer.json()) as Endpoints;
  // OpenID Connect Discovery 4.3
  if (found.issuer !== issuer) throw new ApiError(400, "");
  return found;
}

const base64url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

const address = () => `${location.origin}/`;

/** Leaves for the provider. */
export async function begin(chosen: Provider): Promise<void> {
  const { authorization_endpoint } = await endpoints(chosen.issuer);
  const begun: Begun = { provider: chosen, state: random(), verifier: random() };
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(begun.verifier));
  const url = new URL(authorization_endpoint);
  const query = {
    response_type: "code",
    client_id: chosen.client_id,
    redirect_uri: address(),
    scope: chosen.scope,
    state: begun.state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
    // A refresh token is given only to those who agree to it (OpenID Connect Core 11).
    ...(chosen.scope.includes("offline_access") ? { prompt: "consent" } : {}),
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  sessionStorage.setItem(KEY, JSON.stringify(begun));
  location.assign(url);
}

/** What the provider says in this page's address; the address forgets it at once. */
export function takeAnswer(): URLSearchParams | undefined {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("state") || !(answer.has("code") || answer.has("error"))) return undefined;
  history.replaceState(null, "", `${location.pathname}#/`);
  return answer;
}

/** The claims of a token: read for its name only, the gateway checks it. */
function subject(token: string): string {
  const claims = token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/");
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(claims), (c) => c.charCodeAt(0))))
    .sub;
}

async function ask(issuer: string, form: Record<string, string>): Promise<Tokens> {
  const { token_endpoint } = await endpoints(issuer);
  const answer = await fetch(token_endpoint, { method: "POST", body: new URLSearchParams(form) });
  if (!answer.ok) throw new ApiError(answer.status, "");
  return (await answer.json()) as Tokens;
}

function granted(issuer: string, client_id: string, tokens: Tokens, before?: string): Granted {
  const refresh_token = tokens.refresh_token ?? before;
  return {
    token: tokens.access_token,
    user: subject(tokens.access_token),
    ...(tokens.expires_in ? { expires: Date.now() + tokens.expires_in * 1000 } : {}),
    ...(refresh_token ? { renewal: { issuer, client_id, refresh_token } } : {}),
  };
}

/** Turns the provider's answer into a session. Throws if this tab did not ask, or was refused. */
export async function finish(answer: URLSearchParams): Promise<Granted> {
  const begun = JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Partial<Begun>;
  sessionStorage.removeItem(KEY);
  const code = answer.get("code");
  const from = answer.get("iss");
  // Somebody else's code must not sign this person in (RFC 6749 10.12, RFC 9207).
  if (!code || !begun.provider || !begun.state || answer.get("state") !== begun.state)
    throw new ApiError(400, "");
  if (from && from !== begun.provider.issuer) throw new ApiError(400, "");
  const { issuer, client_id } = begun.provider;
  const tokens = await ask(issuer, {
    grant_type: "authorization_code",
    code,
    client_id,
    redirect_uri: address(),
    code_verifier: begun.verifier!,
  });
  return granted(issuer, client_id, tokens);
}

/** A new token for an old one. Throws ApiError: 0 = try again later, else the session is over. */
export async function renew({ issuer, client_id, refresh_token }: Renewal): Promise<Granted> {
  try {
    const tokens = await ask(issuer, { grant_type: "refresh_token", client_id, refresh_token });
    return granted(issuer, client_id, tokens, refresh_token);
  } catch (error) {
    throw error instanceof ApiError && error.status < 500 ? error : new ApiError(0, "");
  }
}

/** Signing out: the refresh token is worth nothing from now on (RFC 7009), if the provider can be told. */
export async function forget({ issuer, client_id, refresh_token }: Renewal): Promise<void> {
  const { revocation_endpoint } = await endpoints(issuer);
  if (!revocation_endpoint) return;
  const body = new URLSearchParams({ token: refresh_token, client_id });
  await fetch(revocation_endpoint, { method: "POST", body, keepalive: true });
}
