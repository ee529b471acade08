// SPDX-License-Identifier: Apache-2.0
/**
 * Real Chromium on the real stack. TODO_URL is the gateway, TODO_GATEWAY_INTERNAL_URL gives sign-in codes
 * for users that nobody had before (scripts/dev up writes both to .dev/env). TODO_CODE, if set, signs in
 * the first user instead.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

export const BASE = process.env.TODO_URL ?? "";
const INTERNAL = process.env.TODO_GATEWAY_INTERNAL_URL ?? "";
const PROGRAM = process.env.TODO_CHROMIUM ?? "/usr/bin/chromium";

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const desktop = { width: 1280, height: 800 };
export const phone = { width: 390, height: 844 };

let given = process.env.TODO_CODE;

export async function newCode(user: string): Promise<string> {
  if (given) {
    const code = given;
    given = undefined;
    return code;
  }
  const answer = await fetch(`${INTERNAL}/codes`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  if (!answer.ok) throw new Error(`no sign-in code: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { code: string }).code;
}

export const newUser = () => `web-${randomBytes(4).toString("hex")}`;

export interface Options {
  viewport?: { width: number; height: number };
  colorScheme?: "light" | "dark";
  locale?: string;
}

/** A browser profile of its own, closed and removed after the test. */
export class Browser {
  private constructor(
    readonly context: BrowserContext,
    private readonly folder: string,
    /** What the pages complained about. */
    readonly errors: string[],
  ) {}

  static async start(options: Options = {}): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), "todo-web-"));
    const context = await chromium.launchPersistentContext(folder, {
      executablePath: PROGRAM,
      headless: true,
      args: ARGS,
      viewport: desktop,
      locale: "en-GB",
      timezoneId: "Europe/Berlin",
      reducedMotion: "reduce",
      permissions: ["notifications"],
      ...options,
    });
    const errors: string[] = [];
    context.on("weberror", (error) => errors.push(String(error.error())));
    context.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    return new Browser(context, folder, errors);
  }

  async signIn(user: string, url = BASE): Promise<Page> {
    const page = this.context.pages()[0] ?? (await this.context.newPage());
    await page.goto(`${url}/#code=${await newCode(user)}`);
    await page.locator("textarea").waitFor();
    return page;
  }

  async tab(url = BASE): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(url);
    await page.locator("textarea").waitFor();
    return page;
  }

  async stop(): Promise<void> {
    await this.context.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function say(page: Page, text: string): Promise<void> {
  await page.locator("textarea#message").fill(text);
  await page.locator("textarea#message").press("Enter");
}

/** Says it and waits until it is answered. */
export async function tell(page: Page, text: string): Promise<void> {
  const turns = page.locator(".turn:has(.bot)");
  const before = await turns.count();
  await say(page, text);
  await turns.nth(before).waitFor();
}
