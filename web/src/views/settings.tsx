// SPDX-License-Identifier: Apache-2.0
/** Settings of this device and, where the server takes them, of the user. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { getMe, type Me } from "../api.ts";
import type { Key } from "../i18n/en.ts";
import { t } from "../i18n/index.ts";
import { askPermission, permission } from "../notify.ts";
import { language, type Theme, theme } from "../prefs.ts";
import { session } from "../store/session.ts";
import { signOut } from "../store/sync.ts";

const me = signal<Me | undefined>(undefined);

function Row({
  label,
  text,
  children,
}: {
  label: Key;
  text?: string;
  children: ComponentChildren;
}) {
  return (
    <div class="setting">
      <div>
        <h3>{t(label)}</h3>
        {text && <p class="muted">{text}</p>}
      </div>
      <div class="setting-value">{children}</div>
    </div>
  );
}

interface Choice<T extends string> {
  label: Key;
  value: T;
  options: readonly (readonly [T, string])[];
  onPick: (value: T) => void;
}

function Choose<T extends string>({ label, value, options, onPick }: Choice<T>) {
  return (
    <div class="segments" role="radiogroup" aria-label={t(label)}>
      {options.map(([name, text]) => (
        <label key={name}>
          <input type="radio" name={label} checked={name === value} onChange={() => onPick(name)} />
          <span>{text}</span>
        </label>
      ))}
    </div>
  );
}

function Notifications() {
  const state = permission.value;
  if (state === "granted") return <span class="good">{t("notify_is_on")}</span>;
  if (state === "denied") return <span class="muted">{t("notify_blocked")}</span>;
  if (state === "none") return <span class="muted">{t("notify_none")}</span>;
  return (
    <button type="button" class="pill strong" onClick={() => void askPermission()}>
      {t("notify_on")}
    </button>
  );
}

const keys = [
  ["Ctrl K", "key_palette"],
  ["Alt M", "key_focus"],
  ["Enter", "key_send"],
  ["↑", "key_recall"],
  ["/", "key_help"],
] as const;

const languages = [
  ["en", "English"],
  ["de", "Deutsch"],
] as const;

export function Settings() {
  useEffect(() => {
    getMe().then(
      (value) => {
        me.value = value;
      },
      () => {},
    );
  }, []);
  const themes: [Theme, string][] = [
    ["auto", t("theme_auto")],
    ["light", t("theme_light")],
    ["dark", t("theme_dark")],
  ];
  return (
    <section class="settings" aria-label={t("settings")}>
      <h2>{t("settings")}</h2>
      <div class="card">
        <Row label="notify_title" text={t("notify_text")}>
          <Notifications />
        </Row>
        <Row label="s_language">
          <Choose
            label="s_language"
            value={language.value}
            options={languages}
            onPick={(value) => {
              language.value = value;
            }}
          />
        </Row>
        <Row label="s_theme">
          <Choose
            label="s_theme"
            value={theme.value}
            options={themes}
            onPick={(value) => {
              theme.value = value;
            }}
          />
        </Row>
        {me.value?.timezone && (
          <Row label="s_zone" text={t("s_zone_text")}>
            {me.value.timezone}
          </Row>
        )}
        {me.value?.default_time && <Row label="s_default_time">{me.value.default_time}</Row>}
      </div>
      <h3 class="eyebrow">{t("keys_title")}</h3>
      <dl class="card keys">
        {keys.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
      <h3 class="eyebrow">{t("s_account")}</h3>
      <div class="card">
        <Row label="s_signout" text={t("s_signout_text")}>
          <button type="button" class="pill danger" onClick={() => void signOut()}>
            {t("s_signout")}
          </button>
        </Row>
      </div>
      <p class="muted">{t("s_user", { user: session.value?.user ?? "" })}</p>
    </section>
  );
}
