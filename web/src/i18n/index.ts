// SPDX-License-Identifier: Apache-2.0
/** Texts in the chosen language. Reading one inside a component makes it follow the language. */
import { language } from "../prefs.ts";
import { de } from "./de.ts";
import { type Catalogue, en, type Key } from "./en.ts";

const catalogues: Record<string, Catalogue> = { en, de };

export function t(key: Key, values: Record<string, string | number> = {}): string {
  const text = catalogues[language.value]?.[key] ?? en[key];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

type Counted = Key extends infer K ? (K extends `${infer Stem}_one` ? Stem : never) : never;

export function plural(stem: Counted, n: number): string {
  return t(`${stem}_${n === 1 ? "one" : "other"}` as Key, { n });
}
