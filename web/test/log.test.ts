// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from "vitest";
import type { Reply } from "../client/index.ts";
import {
  clearEntries,
  clearedEntries,
  entries,
  lastSaid,
  putEntries,
  queuedTurn,
  reminderEntry,
  turnEntry,
} from "../src/store/log.ts";

const reply = (to: string): Reply => ({ type: "reply", to, intent: "x", text: `answer to ${to}` });
const turn = (id: string, at: string, device = "desk") =>
  turnEntry({ device, id, at, text: `text of ${id}`, reply: reply(id) });
const ids = () => entries.value.map((entry) => entry.key);

beforeEach(clearEntries);

describe("the conversation", () => {
  it("is in the order of time, however it came", () => {
    putEntries([turn("b", "2026-11-24T09:00:00Z"), turn("c", "2026-11-24T10:00:00Z")]);
    putEntries([turn("a", "2026-11-24T08:00:00Z")]);
    putEntries([reminderEntry("e1", "2026-11-24T09:30:00Z", { title: "t", tag: "task-1" })]);
    expect(ids()).toEqual(["desk/a", "desk/b", "event/e1", "desk/c"]);
  });

  it("has each turn once, whether as reply, event or history", () => {
    const queued = queuedTurn(
      "desk",
      { id: "a", kind: "message", at: "2026-11-24T09:00:00.000Z", text: "text of a" },
      "queued",
    );
    putEntries([queued]);
    expect(entries.value[0]).toMatchObject({ state: "queued" });
    putEntries([turn("a", "2026-11-24T09:00:05Z")]);
    putEntries([turn("a", "2026-11-24T09:00:05Z")]);
    expect(entries.value).toHaveLength(1);
    expect(entries.value[0]).toMatchObject({ state: "sent", at: queued.at, reply: { to: "a" } });
  });

  it("keeps apart what two devices gave the same id", () => {
    putEntries([
      turn("a", "2026-11-24T09:00:00Z", "desk"),
      turn("a", "2026-11-24T09:00:00Z", "phone"),
    ]);
    expect(ids()).toEqual(["desk/a", "phone/a"]);
  });

  it("takes a reminder as done with when it was cleared anywhere", () => {
    putEntries([
      reminderEntry("e1", "2026-11-24T09:00:00Z", { title: "t", tag: "task-1" }),
      reminderEntry("e2", "2026-11-24T09:01:00Z", { title: "u", tag: "task-2" }),
    ]);
    putEntries(clearedEntries("task-1"));
    expect(entries.value.map((entry) => entry.kind === "reminder" && entry.cleared)).toEqual([
      true,
      false,
    ]);
    expect(clearedEntries("task-1")).toEqual([]);
  });

  it("knows what was said last", () => {
    expect(lastSaid()).toBe("");
    putEntries([turn("a", "2026-11-24T09:00:00Z"), turn("b", "2026-11-24T09:01:00Z")]);
    expect(lastSaid()).toBe("text of b");
  });
});
