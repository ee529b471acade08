// SPDX-License-Identifier: Apache-2.0
/** What this device prefers. Kept in localStorage: needed before anything is painted, and no secret. */
import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage is switched off: it lasts as long as the page.
  }
}

const browserLanguage = () => (navigator.language.startsWith("de") ? "de" : "en");

export const language = signal<"en" | "de">((read("language") as "en" | "de") ?? browserLanguage());
export const theme = signal<Theme>((read("theme") as Theme) ?? "auto");
export const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** The installation's name on the server, made once. */
export function deviceId(): string {
  let id = read("device");
  if (!id || !/^[A-Za-z0-9._~-]{1,64}$/.test(id)) {
    id = `web-${crypto.randomUUID().slice(0, 13)}`;
    write("device", id);
  }
  return id;
}

export function followPrefs(): void {
  effect(() => {
    document.documentElement.lang = language.value;
    write("language", language.value);
  });
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
    write("theme", theme.value);
  });
}

export function toggleTheme(): void {
  const dark =
    theme.value === "dark" ||
    (theme.value === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  theme.value = dark ? "light" : "dark";
}
