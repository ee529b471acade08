// SPDX-License-Identifier: Apache-2.0
/** Settings of this device and, where the server takes them, of the user. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { ApiError, getMe, type Me, patchMe, type QuietHours, signOutEverywhere } from "../api.ts";
import type { Key } from "../i18n/en.ts";
import { t } from "../i18n/index.ts";
import { askPermission, permission } from "../notify.ts";
import { language, type Theme, theme } from "../prefs.ts";
import { session } from "../store/session.ts";
import { signOut } from "../store/sync.ts";
import { say } from "../toasts.ts";

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

/** Sent as soon as it is picked; what the server refuses falls back to what it has. */
async function change(patch: Partial<Me>): Promise<void> {
  try {
    me.value = await patchMe(patch);
  } catch (error) {
    me.value = me.value && { ...me.value };
    say(error instanceof ApiError && error.message ? error.message : t("s_not_saved"));
  }
}

/** All zones the browser knows, and the one that is set. */
function zoneNames(current: string): string[] {
  const known = Intl.supportedValuesOf("timeZone");
  return known.includes(current) ? known : [current, ...known];
}

function Zone({ value }: { value: string }) {
  return (
    <select
      aria-label={t("s_zone")}
      value={value}
      onChange={(event) => void change({ timezone: event.currentTarget.value })}
    >
      {zoneNames(value).map((name) => (
        <option key={name} value={name}>
          {name.replaceAll("_", " ")}
        </option>
      ))}
    </select>
  );
}

function Time({
  label,
  value,
  onPick,
}: {
  label: string;
  value: string;
  onPick: (v: string) => void;
}) {
  return (
    <input
      type="time"
      aria-label={label}
      value={value}
      required
      onChange={(event) => event.currentTarget.value && onPick(event.currentTarget.value)}
    />
  );
}

const NIGHT: QuietHours = { from: "22:00", to: "07:00", urgent_passes: false };

function Quiet({ value }: { value: QuietHours | null }) {
  const set = (more: Partial<QuietHours>) =>
    void change({ quiet_hours: { ...(value ?? NIGHT), ...more } });
  return (
    <div class="quiet">
      <label>
        <input
          type="checkbox"
          checked={value !== null}
          onChange={(event) =>
            void change({ quiet_hours: event.currentTarget.checked ? NIGHT : null })
          }
        />
        <span>{t("s_quiet_on")}</span>
      </label>
      {value && (
        <>
          <span class="quiet-times">
            <Time label={t("s_quiet_from")} value={value.from} onPick={(from) => set({ from })} />
            <span aria-hidden="true">–</span>
            <Time label={t("s_quiet_to")} value={value.to} onPick={(to) => set({ to })} />
          </span>
          <label>
            <input
              type="checkbox"
              checked={value.urgent_passes}
              onChange={(event) => set({ urgent_passes: event.currentTarget.checked })}
            />
            <span>{t("s_quiet_urgent")}</span>
          </label>
        </>
      )}
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

/** Ends every session of this user, this one too. */
function everywhere(): void {
  signOutEverywhere().then(
    () => void signOut(),
    () => say(t("s_everywhere_failed")),
  );
}

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
            <Zone value={me.value.timezone} />
          </Row>
        )}
        {me.value?.default_time && (
          <Row label="s_default_time">
            <Time
              label={t("s_default_time")}
              value={me.value.default_time}
              onPick={(default_time) => void change({ default_time })}
            />
          </Row>
        )}
        {me.value && (
          <Row label="s_quiet" text={t("s_quiet_text")}>
            <Quiet value={me.value.quiet_hours ?? null} />
          </Row>
        )}
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
        <Row label="s_everywhere" text={t("s_everywhere_text")}>
          <button type="button" class="pill danger" onClick={everywhere}>
            {t("s_everywhere")}
          </button>
        </Row>
      </div>
      <p class="muted">{t("s_user", { user: session.value?.user ?? "" })}</p>
    </section>
  );
}
