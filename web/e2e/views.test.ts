// SPDX-License-Identifier: Apache-2.0
/**
 * Every view in both themes and layouts: axe finds nothing, nothing scrolls sideways. With
 * TODO_SCREENSHOTS=1 the pictures in docs/images are taken anew.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { axe } from "./axe.ts";
import { BASE, Browser, desktop, newUser, phone, tell } from "./browser.ts";

const IMAGES = join(import.meta.dirname, "../../docs/images");
const KEPT = new Set([
  "chat-desktop-light",
  "chat-desktop-dark",
  "chat-phone-light",
  "chat-phone-dark",
  "tasks-phone-dark",
  "week-desktop-light",
  "week-phone-light",
  "task-desktop-light",
  "commands-desktop-dark",
  "settings-phone-light",
  "sign-in-desktop-light",
  "welcome-phone-light",
]);
const user = newUser();
const opened: Browser[] = [];

const said = [
  "remind me to call mum tomorrow at 9",
  "buy milk on friday #home",
  "pay rent every 1st of the month",
  "dentist on 3 december at 14:30",
  "water the plants every 3 days",
  "send the report today at 23:45 p1",
  "remind me to stretch in 2 seconds",
];

beforeAll(async () => {
  const browser = await Browser.start();
  const page = await browser.signIn(user);
  for (const text of said) await tell(page, text);
  await page.locator("article.reminder").waitFor({ timeout: 15_000 });
  await tell(page, "what's due tomorrow?");
  await browser.stop();
});

afterAll(async () => {
  for (const browser of opened) await browser.stop();
});

async function go(page: Page, path: string): Promise<void> {
  await page.goto(`${BASE}/#/${path}`);
  await page.locator("main").waitFor();
}

const views: Record<string, (page: Page) => Promise<void>> = {
  chat: (page) => go(page, ""),
  tasks: (page) => go(page, "tasks"),
  week: (page) => go(page, "week"),
  settings: (page) => go(page, "settings"),
  task: async (page) => {
    await go(page, "tasks");
    await page.locator(".panel .task-open", { hasText: "pay rent" }).click();
    await page.locator("dialog .next-dates").waitFor();
  },
  commands: async (page) => {
    await page.keyboard.press("Escape");
    await go(page, "");
    await page.keyboard.press("Control+k");
    await page.locator("dialog [role=option]").first().waitFor();
  },
  help: async (page) => {
    await page.keyboard.press("Escape");
    await page.locator("textarea#message").fill("/");
    await page.locator(".help").waitFor();
  },
};

async function look(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(150);
  expect(await axe(page), name).toEqual([]);
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
  );
  expect(wide, `${name} scrolls sideways`).toBe(false);
  if (!process.env.TODO_SCREENSHOTS || !KEPT.has(name)) return;
  mkdirSync(IMAGES, { recursive: true });
  await page.screenshot({ path: join(IMAGES, `${name}.png`) });
}

for (const [layout, viewport] of Object.entries({ desktop, phone }))
  for (const colorScheme of ["light", "dark"] as const)
    it(`${layout}, ${colorScheme}`, async () => {
      const browser = await Browser.start({ viewport, colorScheme });
      opened.push(browser);
      const page = browser.context.pages()[0]!;
      await page.goto(BASE);
      await page.locator(".sign-in").waitFor();
      await look(page, `sign-in-${layout}-${colorScheme}`);
      await browser.signIn(user);
      await page.locator("article.reminder").waitFor({ state: "attached" });
      for (const [name, show] of Object.entries(views)) {
        await show(page);
        await look(page, `${name}-${layout}-${colorScheme}`);
      }
      expect(browser.errors).toEqual([]);
    });

it("the first run, with nothing there yet", async () => {
  const browser = await Browser.start({ viewport: phone });
  opened.push(browser);
  const page = await browser.signIn(newUser());
  await page.locator(".welcome").waitFor();
  await look(page, "welcome-phone-light");
  await page.goto(`${BASE}/#/tasks`);
  await look(page, "empty-phone-light");
});
