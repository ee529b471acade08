// SPDX-License-Identifier: Apache-2.0
/** Before anybody is signed in: what this is, and a place for the link. */
import { useSignal, useSignalEffect } from "@preact/signals";
import type { Provider } from "../api.ts";
import type { Key } from "../i18n/en.ts";
import { t } from "../i18n/index.ts";
import { begin, provider } from "../store/oidc.ts";
import { codeIn, problem, type SignInProblem, signingIn } from "../store/session.ts";
import { Icon } from "./icons.tsx";

const texts: Record<SignInProblem, Key> = {
  used: "signin_used",
  unreachable: "signin_unreachable",
  expired: "signin_expired",
  refused: "signin_refused",
};

function ProviderButton({ chosen }: { chosen: Provider }) {
  return (
    <button
      type="button"
      class="pill strong wide"
      onClick={() => {
        begin(chosen).catch(() => {
          problem.value = "unreachable";
        });
      }}
    >
      {t("signin_provider", { host: new URL(chosen.issuer).host })}
    </button>
  );
}

export function SignIn({ onCode }: { onCode: (code: string) => void }) {
  const text = useSignal("");
  const code = codeIn(text.value);
  const chosen = useSignal<Provider | undefined>(undefined);
  useSignalEffect(() => {
    void provider().then((found) => {
      chosen.value = found;
    });
  });
  return (
    <main class="sign-in">
      <form
        class="sign-in-card"
        onSubmit={(event) => {
          event.preventDefault();
          if (code) onCode(code);
        }}
      >
        <span class="welcome-mark">
          <Icon name="logo" size={40} />
        </span>
        <h1>{t("signin_title")}</h1>
        <p>{t(chosen.value ? "signin_text_provider" : "signin_text")}</p>
        {problem.value && (
          <p class="form-error" role="alert">
            {t(texts[problem.value])}
          </p>
        )}
        {chosen.value && <ProviderButton chosen={chosen.value} />}
        <label class="field">
          <span class="field-label">{t("signin_label")}</span>
          <input
            value={text.value}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            onInput={(event) => {
              text.value = event.currentTarget.value;
            }}
          />
        </label>
        <button
          type="submit"
          class={chosen.value ? "pill wide" : "pill strong wide"}
          disabled={!code || signingIn.value}
        >
          {t(signingIn.value ? "signin_busy" : "signin_button")}
        </button>
        {!chosen.value && <p class="muted small">{t("signin_hint")}</p>}
      </form>
    </main>
  );
}
