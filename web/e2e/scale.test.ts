// SPDX-License-Identifier: Apache-2.0
/** The page of somebody with 5,000 tasks and 10,000 messages: all of it can be reached, and nothing stands still. */
import { execFileSync } from "node:child_process";
import type { Page } from "playwright-core";
import { afterEach, expect, it } from "vitest";
import { Browser, newUser, say, tell } from "./browser.ts";

const DATABASE = process.env.TODO_DATABASE_URL ?? "";
const TASKS = 5000;
const TURNS = 5000; // two messages each

let browser: Browser | undefined;

afterEach(async () => {
  await browser?.stop();
  browser = undefined;
});

function fill(user: string): void {
  const sql = `
    insert into tasks(id,user_id,version,status,title,due_kind,due_local,due_zone,due_at,created_at,updated_at)
      select gen_random_uuid(), '${user}', 1, 0, 'Old task ' || n, 3, at at time zone 'UTC', 'UTC', at, now(), now()
      from (select n, now() + n * interval '1 hour' as at from generate_series(1,${TASKS}) n) x;
    insert into turn(user_id,device,client_id,hash,channel,at,text,reply)
      select '${user}', 'old', 'c' || n, 0, 0, now() - (${TURNS} - n) * interval '1 minute', 'line ' || n,
        '{"type":"reply","to":"c' || n || '","text":"Answer ' || n || '","intent":"chat.greet","suggestions":[]}'
      from generate_series(1,${TURNS}) n`;
  execFileSync("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", DATABASE, "-c", sql]);
}

/** Scrolls a region for a while; the times between frames in ms, the longest last. */
function scrollThrough(page: Page, region: string, by: number, until: number): Promise<number[]> {
  return page.evaluate(
    async ({ region, by, until }) => {
      const element = document.querySelector(region)!;
      const frames: number[] = [];
      let before = performance.now();
      const end = before + until;
      while (performance.now() < end) {
        element.scrollTop += by;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        frames.push(now - before);
        before = now;
      }
      return frames.sort((a, b) => a - b);
    },
    { region, by, until },
  );
}

/** For people: times decide nothing here. */
function tellFrames(what: string, frames: number[]): void {
  const at = (share: number) => frames[Math.floor((frames.length - 1) * share)]!.toFixed(0);
  console.log(`${what}: frames ${at(0.5)} ms, 99 % below ${at(0.99)}, longest ${at(1)}`);
}

it.skipIf(!DATABASE)("thousands of tasks and messages scroll, and stay usable", async () => {
  const user = newUser();
  browser = await Browser.start();
  let page = await browser.signIn(user);
  await tell(page, "hello");
  fill(user);
  await browser.stop();
  browser = await Browser.start();
  page = await browser.signIn(user);
  await expect
    .poll(() => page.locator(".panel-head .muted").innerText(), { timeout: 30_000 })
    .toContain("5000");

  const rows = page.locator(".panel .task");
  const first = await rows.count();
  expect(first).toBeLessThan(200);
  tellFrames("tasks", await scrollThrough(page, ".panel-body", 400, 4000));
  expect(await rows.count()).toBeGreaterThan(first + 300);

  const log = page.locator(".log .entry");
  tellFrames("messages", await scrollThrough(page, ".log", -300, 4000));
  expect(await log.count()).toBeGreaterThan(100);
  await expect.poll(() => page.locator(".log").innerText()).toMatch(/line 4[0-9]{3}/);
  await page.locator("button.latest").click();
  expect(await log.count()).toBeLessThan(150);
  await say(page, "add task the newest today");
  await page.locator(".panel .task-title", { hasText: "the newest" }).waitFor();
});
