// SPDX-License-Identifier: Apache-2.0
/**
 * Signing in at an OpenID provider, in real Chromium: TODO_OIDC_URL is a gateway whose users sign in at
 * e2e/provider.mjs (tests/e2e/test_web.py starts both).
 */
import type { Page } from "playwright-core";
import { afterEach, expect, it } from "vitest";
import { axe } from "./axe.ts";
import { Browser, newUser, tell } from "./browser.ts";

const URL_ = process.env.TODO_OIDC_URL ?? "";
const provided = it.skipIf(!URL_);

let browser: Browser | undefined;

afterEach(async () => {
  await browser?.stop();
  browser = undefined;
});

interface Asked {
  grant: string | null;
  path: string;
  status: number;
}

/** What the page asks of the provider behind its pages. */
function follow(page: Page): Asked[] {
  const asked: Asked[] = [];
  page.on("response", (response) => {
    const request = response.request();
    if (request.method() !== "POST" || response.url().startsWith(URL_)) return;
    const form = new URLSearchParams(request.postData() ?? "");
    const path = new URL(response.url()).pathname;
    asked.push({ grant: form.get("grant_type"), path, status: response.status() });
  });
  return asked;
}

/** In the page: how much its databases hold. */
async function keptRecords(): Promise<number> {
  const done = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  let count = 0;
  for (const { name } of await indexedDB.databases()) {
    const db = await done(indexedDB.open(name!));
    for (const store of db.objectStoreNames)
      count += await done(db.transaction(store).objectStore(store).count());
    db.close();
  }
  return count;
}

async function signInAt(page: Page, user: string): Promise<void> {
  await page.goto(URL_);
  await page.getByRole("button", { name: /^Sign in at/ }).click();
  await page.locator("input[name=login]").fill(user);
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.locator("textarea#message").waitFor();
}

provided("a person signs in, stays signed in past the token's end, and signs out", async () => {
  browser = await Browser.start();
  const page = await browser.context.newPage();
  const asked = follow(page);
  await page.goto(URL_);
  await page.getByRole("button", { name: /^Sign in at/ }).waitFor();
  expect(await axe(page)).toEqual([]);
  await signInAt(page, newUser());
  expect(page.url()).not.toContain("code=");
  await tell(page, "add task wash the car");
  const renewed = () => asked.filter(({ grant }) => grant === "refresh_token");
  await expect.poll(() => renewed().length, { timeout: 15_000 }).toBeGreaterThan(1);
  expect(renewed().every(({ status }) => status === 200)).toBe(true);
  await tell(page, "add task water the plants");

  await page.reload();
  await page.locator("textarea#message").waitFor();
  await tell(page, "add task feed the cat");
  expect((await page.locator(".panel .task-title").allInnerTexts()).sort()).toEqual([
    "feed the cat",
    "wash the car",
    "water the plants",
  ]);

  await page.goto(`${URL_}/#/settings`);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("button", { name: /^Sign in at/ }).waitFor();
  expect(asked.at(-1)).toMatchObject({ path: "/token/revocation", status: 200 });
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  expect(await page.evaluate(keptRecords)).toBe(0);
  await page.reload();
  await page.getByRole("button", { name: /^Sign in at/ }).waitFor();
});

provided("an answer nobody asked for signs nobody in", async () => {
  browser = await Browser.start();
  const page = await browser.context.newPage();
  await page.goto(`${URL_}/?code=stolen&state=guessed`);
  await page.getByRole("alert").waitFor();
  expect(await page.getByRole("alert").innerText()).toContain("wasn't completed");
  expect(page.url()).not.toContain("stolen");
});
