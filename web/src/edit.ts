// SPDX-License-Identifier: Apache-2.0
/** Changes to a task by REST, with the version that was seen; what goes wrong is said in words. */
import type { Task } from "../client/index.ts";
import { ApiError, getTaskById, patchTask, type TaskPatch } from "./api.ts";
import { t } from "./i18n/index.ts";
import { timezone } from "./prefs.ts";
import { learn } from "./store/sync.ts";
import { addDays, dayName, dayOf, dueDay, hasTime } from "./time.ts";
import { say } from "./toasts.ts";

/** Nothing, or why it was not saved. */
export async function editTask(task: Task, patch: TaskPatch): Promise<string | undefined> {
  const timed = (patch.due_date?.length ?? 0) > 10;
  try {
    learn(await patchTask(task, timed ? { timezone: task.timezone ?? timezone, ...patch } : patch));
    return undefined;
  } catch (error) {
    return explain(error, task);
  }
}

async function explain(error: unknown, task: Task): Promise<string> {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 0) return t("save_offline");
  if (error.missing) return t("save_unsupported");
  if (error.status !== 412) return t("save_failed", { why: error.message || String(error.status) });
  const fresh = await getTaskById(task.id).catch(() => undefined);
  if (fresh) learn(fresh);
  return t("save_conflict");
}

/** To another day, at the same time of day. */
export async function moveTask(task: Task, day: string): Promise<void> {
  const due = hasTime(task) ? `${day}${task.due_date!.slice(10)}` : day;
  const wrong = await editTask(task, { due_date: due });
  say(wrong ?? t("moved", { title: task.title, when: dayName(day) }));
}

export const shiftTask = (task: Task, days: number) =>
  moveTask(task, addDays(dueDay(task) ?? dayOf(Date.now()), days));

/** Moves a task by the keys + and −; true if the key was one of them. */
export function shiftByKey(event: KeyboardEvent, task: Task): boolean {
  const days = event.key === "+" ? 1 : event.key === "-" || event.key === "−" ? -1 : 0;
  if (!days) return false;
  event.preventDefault();
  void shiftTask(task, days);
  return true;
}
