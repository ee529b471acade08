// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { de } from "../src/i18n/de.ts";
import { en, type Key } from "../src/i18n/en.ts";
import { codeIn } from "../src/store/session.ts";

const blanks = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

it("the German texts have the blanks of the English ones", () => {
  for (const key of Object.keys(en) as Key[]) {
    expect(blanks(de[key]), key).toEqual(blanks(en[key]));
    expect(de[key].trim(), key).not.toBe("");
  }
});

it.each([
  ["http://127.0.0.1:8080/#code=abc123", "abc123"],
  ["#code=abc123&x=1", "abc123"],
  ["  abc123 ", "abc123"],
  ["http://127.0.0.1:8080/", undefined],
  ["<b>", undefined],
  ["", undefined],
])("the code in %j", (text, code) => {
  expect(codeIn(text)).toBe(code);
});
