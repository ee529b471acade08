// SPDX-License-Identifier: Apache-2.0
import { beforeEach, expect, it } from "vitest";
import type { Task } from "../client/index.ts";
import {
  clearTasks,
  dropOthers,
  filter,
  finished,
  getTask,
  groups,
  groupTasks,
  labels,
  putTasks,
  search,
  versions,
} from "../src/store/tasks.ts";
import { now } from "../src/time.ts";

const at = new Date(2026, 10, 24, 12, 0).getTime(); // a Tuesday, local noon

function task(id: string, more: Partial<Task> = {}): Task {
  const due_at =
    (more.due_date?.length ?? 0) > 10 ? new Date(more.due_date!).toISOString() : undefined;
  return { id, version: 1, title: id, status: "open", due_at, ...more };
}

beforeEach(() => {
  clearTasks();
  search.value = "";
  filter.value = "";
  now.value = at;
});

it("an older version never overwrites a newer one", () => {
  expect(putTasks([task("a", { version: 3, title: "new" })])).toHaveLength(1);
  expect(putTasks([task("a", { version: 2, title: "old" }), task("a", { version: 3 })])).toEqual(
    [],
  );
  expect(getTask("a")?.title).toBe("new");
});

it("tasks are grouped by when they are due, in the order of the day", () => {
  const all = [
    task("someday"),
    task("later", { due_date: "2026-12-24" }),
    task("week", { due_date: "2026-11-28" }),
    task("tomorrow", { due_date: "2026-11-25" }),
    task("today-date", { due_date: "2026-11-24" }),
    task("today-late", { due_date: "2026-11-24T18:00:00" }),
    task("today-soon", { due_date: "2026-11-24T13:00:00" }),
    task("missed-hour", { due_date: "2026-11-24T11:00:00" }),
    task("missed-day", { due_date: "2026-11-23" }),
  ];
  expect(groupTasks(all, at).map((group) => [group.name, group.tasks.map((x) => x.id)])).toEqual([
    ["overdue", ["missed-day", "missed-hour"]],
    ["today", ["today-soon", "today-late", "today-date"]],
    ["tomorrow", ["tomorrow"]],
    ["this_week", ["week"]],
    ["later", ["later"]],
    ["someday", ["someday"]],
  ]);
});

it("search and filter look at titles, notes, tags and projects", () => {
  putTasks([
    task("milk", { tags: ["home"], notes: "Lactose free" }),
    task("report", { project: "work" }),
    task("gone", { status: "deleted", tags: ["trash"] }),
  ]);
  const shown = () => groups.value.flatMap((group) => group.tasks.map((x) => x.id));
  expect(labels.value).toEqual(["#home", "@work"]);
  search.value = " lactose";
  expect(shown()).toEqual(["milk"]);
  search.value = "";
  filter.value = "@work";
  expect(shown()).toEqual(["report"]);
});

it("done tasks leave the list and stand under done, newest first", () => {
  putTasks([
    task("a", { status: "done", completed_at: "2026-11-24T08:00:00Z" }),
    task("b", { status: "done", completed_at: "2026-11-24T09:00:00Z" }),
  ]);
  expect(groups.value).toEqual([]);
  expect(finished.value.map((x) => x.id)).toEqual(["b", "a"]);
});

it("a full reading drops what it does not name, but nothing that changed meanwhile", () => {
  putTasks([task("kept"), task("gone"), task("fresh")]);
  const before = versions();
  putTasks([task("fresh", { version: 2 }), task("new")]);
  dropOthers(before, new Set(["kept"]));
  expect(["kept", "gone", "fresh", "new"].map((id) => getTask(id)?.id)).toEqual([
    "kept",
    undefined,
    "fresh",
    "new",
  ]);
});
