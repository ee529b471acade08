// SPDX-License-Identifier: Apache-2.0
import "fake-indexeddb/auto";
import { afterEach, expect, it } from "vitest";
import type { Command, Task } from "../client/index.ts";
import { Db } from "../src/store/db.ts";

let db: Db;

afterEach(async () => {
  db.close();
  await Db.destroy();
});

const task = (id: string, version: number): Task => ({
  id,
  version,
  title: `v${version}`,
  status: "open",
});
const command = (id: string, at: string): Command => ({ id, kind: "message", at, text: id });

it("keeps the newest task and the highest number, whichever tab writes last", async () => {
  db = await Db.open();
  await db.save({ seq: 12, tasks: [task("a", 5)], log: [] });
  await db.save({ seq: 10, tasks: [task("a", 4), task("b", 1)], log: [] });
  const kept = await db.snapshot();
  expect(kept.seq).toBe(12);
  expect(kept.tasks).toEqual([task("a", 5), task("b", 1)]);
});

it("a reset goes back, too", async () => {
  db = await Db.open();
  await db.save({ seq: 12, tasks: [task("a", 5)], log: [] });
  await db.reset(3, [task("b", 1)]);
  expect(await db.snapshot()).toEqual({ seq: 3, tasks: [task("b", 1)], log: [] });
});

it("gives queued commands back in the order they were written", async () => {
  db = await Db.open();
  await db.put(command("z", "2026-11-24T09:00:00.000Z"));
  await db.put(command("a", "2026-11-24T09:00:01.000Z"));
  await db.put(command("m", "2026-11-24T09:00:02.000Z"));
  await db.remove("a");
  expect(await db.load()).toEqual([
    command("z", "2026-11-24T09:00:00.000Z"),
    command("m", "2026-11-24T09:00:02.000Z"),
  ]);
});

it("forgets everything when it is destroyed", async () => {
  db = await Db.open();
  await db.set("session", { token: "secret" });
  await db.put(command("a", "2026-11-24T09:00:00.000Z"));
  db.close();
  await Db.destroy();
  db = await Db.open();
  expect(await db.get("session")).toBeUndefined();
  expect(await db.load()).toEqual([]);
});
