// SPDX-License-Identifier: Apache-2.0
/** The user's tasks as the events tell them, and the views on them. An older version never wins. */
import { computed, signal } from "@preact/signals";
import type { Task } from "../../client/index.ts";
import { addDays, dayOf, dueDay, hasTime, isOverdue, now } from "../time.ts";

const all = new Map<string, Task>();
/** Grows with each change; reading it is what makes a view follow. */
const changed = signal(0);

export type GroupName = "overdue" | "today" | "tomorrow" | "this_week" | "later" | "someday";
export interface Group {
  name: GroupName;
  tasks: Task[];
}

export const search = signal("");
/** "" = all, "#tag" or "@project" */
export const filter = signal("");

/** What of these is news. */
export function putTasks(tasks: readonly Task[]): Task[] {
  const fresh: Task[] = [];
  for (const task of tasks) {
    const old = all.get(task.id);
    if (old && old.version >= task.version) continue;
    all.set(task.id, task);
    fresh.push(task);
  }
  if (fresh.length) changed.value++;
  return fresh;
}

export function clearTasks(): void {
  all.clear();
  changed.value++;
}

/** Takes away what a full reading did not name, unless it changed while that was under way. */
export function dropOthers(before: ReadonlyMap<string, number>, named: ReadonlySet<string>): void {
  for (const [id, version] of before)
    if (!named.has(id) && all.get(id)?.version === version) all.delete(id);
  changed.value++;
}

export const versions = () => new Map([...all.values()].map((task) => [task.id, task.version]));

export function getTask(id: string): Task | undefined {
  changed.value;
  return all.get(id);
}

function matches(task: Task, text: string, only: string): boolean {
  if (only.startsWith("#") && !task.tags?.includes(only.slice(1))) return false;
  if (only.startsWith("@") && task.project !== only.slice(1)) return false;
  return (
    !text ||
    [task.title, task.notes, task.project, ...(task.tags ?? [])].some((part) =>
      part?.toLowerCase().includes(text),
    )
  );
}

function sortKey(task: Task): string {
  if (!task.due_date) return `z${task.created_at ?? ""}`;
  const at = hasTime(task) && task.due_at ? Date.parse(task.due_at) : 8.64e15;
  return `${dueDay(task)} ${String(at).padStart(17, "0")} ${9 - (task.priority ?? 0)}`;
}

const byDue = (a: [string, Task], b: [string, Task]) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);

export function sortTasks(tasks: Task[]): Task[] {
  return tasks
    .map((task): [string, Task] => [sortKey(task), task])
    .sort(byDue)
    .map(([, task]) => task);
}

export function groupOf(task: Task, at: number): GroupName {
  const day = dueDay(task);
  const today = dayOf(at);
  if (!day) return "someday";
  if (isOverdue(task, at)) return "overdue";
  if (day <= today) return "today";
  if (day === addDays(today, 1)) return "tomorrow";
  return day <= addDays(today, 7) ? "this_week" : "later";
}

export function groupTasks(tasks: Task[], at: number): Group[] {
  const groups: Record<GroupName, Task[]> = {
    overdue: [],
    today: [],
    tomorrow: [],
    this_week: [],
    later: [],
    someday: [],
  };
  for (const task of sortTasks(tasks)) groups[groupOf(task, at)].push(task);
  return (Object.entries(groups) as [GroupName, Task[]][])
    .filter(([, list]) => list.length)
    .map(([name, list]) => ({ name, tasks: list }));
}

const open = computed(() => {
  changed.value;
  return [...all.values()].filter((task) => task.status === "open");
});

const shown = computed(() => {
  const text = search.value.trim().toLowerCase();
  return open.value.filter((task) => matches(task, text, filter.value));
});

export const openCount = computed(() => open.value.length);
export const groups = computed(() => groupTasks(shown.value, now.value));
export const urgentCount = computed(
  () => open.value.filter((task) => ["overdue", "today"].includes(groupOf(task, now.value))).length,
);

export const finished = computed(() => {
  changed.value;
  const text = search.value.trim().toLowerCase();
  return [...all.values()]
    .filter((task) => task.status === "done" && matches(task, text, filter.value))
    .sort((a, b) => ((a.completed_at ?? "") < (b.completed_at ?? "") ? 1 : -1));
});

/** Tags and projects in use, for the filter. */
export const labels = computed(() => {
  const found = new Set<string>();
  for (const task of open.value) {
    for (const tag of task.tags ?? []) found.add(`#${tag}`);
    if (task.project) found.add(`@${task.project}`);
  }
  return [...found].sort();
});

export function findTasks(text: string, limit: number): Task[] {
  const wanted = text.trim().toLowerCase();
  return sortTasks(open.value.filter((task) => matches(task, wanted, ""))).slice(0, limit);
}

export function tasksOfDay(day: string): Task[] {
  return sortTasks(open.value.filter((task) => dueDay(task) === day));
}
