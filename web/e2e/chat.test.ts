// SPDX-License-Identifier: Apache-2.0
/** What a person does with the page, in real Chromium on the real stack. */
import { afterEach, beforeAll, expect, it } from "vitest";
import { BASE, Browser, newUser, type Options, say, tell } from "./browser.ts";
import { Wire } from "./wire.ts";

const open: { stop(): Promise<void> }[] = [];

beforeAll(() => {
  if (!BASE) throw new Error("TODO_URL is not set: scripts/dev up writes it to .dev/env");
});

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.stop();
});

async function browser(options?: Options): Promise<Browser> {
  const made = await Browser.start(options);
  open.push(made);
  return made;
}

async function wire(): Promise<Wire> {
  const made = await Wire.start(BASE);
  open.push(made);
  return made;
}

it("a stranger signs in by the link, says something, and is reminded", async () => {
  const b = await browser();
  const page = await b.signIn(newUser());
  expect(await page.evaluate(() => location.href)).not.toContain("code");
  await expect.poll(() => page.locator(".welcome button").count()).toBe(4);

  await say(page, "remind me to stretch in 3 seconds");
  const answer = page.locator(".bot");
  await answer.waitFor();
  expect(await answer.innerText()).toContain("stretch");
  expect(await page.locator(".panel .task-title").allInnerTexts()).toEqual(["stretch"]);

  const reminder = page.locator("article.reminder");
  await reminder.waitFor({ timeout: 10_000 });
  expect(await reminder.locator(".reminder-title").innerText()).toBe("stretch");
  const shown = await page.evaluate(async () => {
    const worker = await navigator.serviceWorker.ready;
    return (await worker.getNotifications()).map((notification) => notification.title);
  });
  expect(shown).toEqual(["stretch"]);

  await reminder.getByRole("button", { name: "Done" }).click();
  await page.locator("article.reminder.cleared").waitFor();
  await page.locator(".panel .group", { hasText: "Done" }).waitFor();
  await expect
    .poll(() =>
      page.evaluate(async () => {
        const worker = await navigator.serviceWorker.ready;
        return (await worker.getNotifications()).length;
      }),
    )
    .toBe(0);
  expect(b.errors).toEqual([]);
});

it("a completed task comes back by undo", async () => {
  const b = await browser();
  const page = await b.signIn(newUser());
  await tell(page, "add task water the plants");
  await page.locator(".panel").getByRole("button", { name: "Complete “water the plants”" }).click();
  await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await expect.poll(() => page.locator(".panel .task:not(.done)").count()).toBe(1);
});

it("what is said offline is sent once, in order, when the network is back", async () => {
  const line = await wire();
  const b = await browser();
  const page = await b.signIn(newUser(), line.url);
  await tell(page, "add task before");
  line.cut();
  await say(page, "add task first");
  await say(page, "add task second");
  await page.locator(".notice").waitFor({ timeout: 9000 });
  expect(await page.locator(".mine.queued").count()).toBe(2);

  // Also across a reload: the page comes from the service worker, the state from the database.
  await page.reload();
  await page.locator(".mine.queued").nth(1).waitFor();
  expect(await page.locator(".panel .task-title").allInnerTexts()).toEqual(["before"]);

  line.mend();
  await page
    .locator(".notice button")
    .click({ timeout: 9000 })
    .catch(() => {});
  await expect.poll(() => page.locator(".mine.queued").count(), { timeout: 40_000 }).toBe(0);
  await expect
    .poll(() => page.locator(".panel .task-title").allInnerTexts())
    .toEqual(["before", "first", "second"]);
  expect(await page.locator(".bubble").allInnerTexts()).toEqual([
    "add task before",
    "add task first",
    "add task second",
  ]);
});

it("an answer that was lost on the way does not double the task", async () => {
  const line = await wire();
  const b = await browser();
  const page = await b.signIn(newUser(), line.url);
  await page.locator(".dot.on").waitFor();
  line.deaf = true;
  await say(page, "add task just one");
  await page.waitForTimeout(600);
  line.cut();
  line.mend();
  await page.locator(".bot").waitFor({ timeout: 20_000 });
  await tell(page, "list all my tasks");
  expect(await page.locator(".panel .task-title").allInnerTexts()).toEqual(["just one"]);
});

it("two tabs and another device stay in step", async () => {
  const user = newUser();
  const b = await browser();
  const first = await b.signIn(user);
  const second = await b.tab();
  const other = await (await browser({ viewport: { width: 390, height: 844 } })).signIn(user);
  await tell(first, "add task shared");
  for (const page of [second, other]) {
    await expect.poll(() => page.locator(".bubble").allInnerTexts()).toEqual(["add task shared"]);
    await expect
      .poll(() => page.locator(".panel .task-title").allTextContents())
      .toEqual(["shared"]);
  }
  await second.locator(".panel").getByRole("button", { name: "Complete “shared”" }).click();
  for (const page of [first, other])
    await expect.poll(() => page.locator(".panel .task:not(.done)").count()).toBe(0);
});

it("hostile titles are text and nothing else", async () => {
  const b = await browser();
  const page = await b.signIn(newUser());
  page.on("dialog", () => b.errors.push("a dialog opened"));
  const titles = [
    "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "\u202Egnp.exe \u2067שלום\u2069 end",
    `emoji ${"👩‍👩‍👧‍👦".repeat(30)}`,
    "a".repeat(400),
  ];
  for (const title of titles) await tell(page, `add task ${title}`);
  await expect.poll(() => page.locator(".panel .task").count()).toBe(titles.length);
  expect(await page.locator(".log img, .log script, .panel img, .panel script").count()).toBe(0);
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
  );
  expect(wide).toBe(false);
  expect(b.errors).toEqual([]);
});

it("a task is edited in its dialog, and a stale edit overwrites nothing", async () => {
  const user = newUser();
  const page = await (await browser()).signIn(user);
  const other = await (await browser()).signIn(user);
  await tell(page, "add task draft");
  for (const p of [page, other]) {
    await p.locator(".panel .task-open").click();
    await p.locator("dialog .title-input").waitFor();
  }
  await page.locator("dialog .title-input").fill("final");
  await page.locator("dialog input[type=date]").first().fill("2030-01-31");
  await page.locator("dialog").getByRole("button", { name: "Save" }).click();
  await expect.poll(() => other.locator(".panel .task-title").innerText()).toBe("final");
  await other.locator("dialog textarea").fill("a note");
  await other.locator("dialog").getByRole("button", { name: "Save" }).click();
  await other.locator("dialog [role=alert]").waitFor();
  expect(await other.locator("dialog .title-input").inputValue()).toBe("final");
});

it("a token that is no longer good leads to the sign-in, with the reason", async () => {
  const b = await browser();
  const page = await b.signIn(newUser());
  await tell(page, "add task kept");
  await page.evaluate(async () => {
    const db = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open("todo-chat");
      request.onsuccess = () => resolve(request.result);
    });
    const store = db.transaction("kv", "readwrite").objectStore("kv");
    await new Promise((resolve) => {
      store.put({ token: "eyJhbGciOiJIUzI1NiJ9.e30.x", user: "nobody" }, "session").onsuccess =
        resolve;
    });
    db.close();
  });
  await page.reload();
  await page.locator(".sign-in [role=alert]").waitFor();
  expect(await page.locator(".sign-in [role=alert]").innerText()).toContain("signed out");
});

it("a used link says so", async () => {
  const b = await browser();
  const page = b.context.pages()[0]!;
  await page.goto(`${BASE}/#code=0123456789abcdef`);
  await page.locator(".sign-in [role=alert]").waitFor();
  expect(page.url()).not.toContain("0123456789abcdef");
});

it("zone, default time and quiet hours are the server's", async () => {
  const b = await browser();
  const page = await b.signIn(newUser());
  await page.goto(`${BASE}/#/settings`);
  await page.getByLabel("Time zone").selectOption("America/New_York");
  await page.getByLabel("Reminder time for tasks without one").fill("07:30");
  await page.getByLabel("Keep quiet").check();
  await page.getByLabel("Quiet until").fill("06:15");
  await page.getByLabel("Urgent tasks remind all the same").check();
  await page.reload();
  await page.getByLabel("Quiet until").waitFor();
  expect(await page.getByLabel("Time zone").inputValue()).toBe("America/New_York");
  expect(await page.getByLabel("Reminder time for tasks without one").inputValue()).toBe("07:30");
  expect(await page.getByLabel("Quiet from").inputValue()).toBe("22:00");
  expect(await page.getByLabel("Quiet until").inputValue()).toBe("06:15");
  expect(await page.getByLabel("Urgent tasks remind all the same").isChecked()).toBe(true);
  await page.goto(`${BASE}/#/`);
  await tell(page, "turn off quiet hours");
  await page.goto(`${BASE}/#/settings`);
  await page.reload();
  await page.getByLabel("Keep quiet").waitFor();
  expect(await page.getByLabel("Keep quiet").isChecked()).toBe(false);
});

it("signing out everywhere ends the sessions of other devices", async () => {
  const user = newUser();
  const here = await (await browser()).signIn(user);
  const elsewhere = await (await browser()).signIn(user);
  await here.goto(`${BASE}/#/settings`);
  await here.getByRole("button", { name: "Sign out everywhere" }).click();
  for (const page of [here, elsewhere]) await page.locator(".sign-in").waitFor();
});

it("signing out leaves nothing behind, in no tab", async () => {
  const b = await browser();
  const page = await b.signIn(newUser());
  await tell(page, "add task secret");
  const second = await b.tab();
  await page.goto(`${BASE}/#/settings`);
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  for (const p of [page, second]) await p.locator(".sign-in").waitFor();
  await page.reload();
  await page.locator(".sign-in").waitFor();
  const left = await page.evaluate(async () => {
    const db = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open("todo-chat");
      request.onsuccess = () => resolve(request.result);
    });
    const counts = [...db.objectStoreNames].map(
      (name) =>
        new Promise<number>((resolve) => {
          const request = db.transaction(name).objectStore(name).count();
          request.onsuccess = () => resolve(request.result);
        }),
    );
    return Promise.all(counts);
  });
  expect(left.every((count) => count === 0)).toBe(true);
});
