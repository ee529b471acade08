// SPDX-License-Identifier: Apache-2.0
/** Days and clock times as people read them. A task's local wall time is shown as it was said. */
import { signal } from "@preact/signals";
import type { Task } from "../client/index.ts";
import { plural, t } from "./i18n/index.ts";
import { language } from "./prefs.ts";

/** Moves twice a minute: what depends on the time of day follows it. */
export const now = signal(Date.now());

const formats = new Map<string, Intl.DateTimeFormat>();

function format(value: Date, options: Intl.DateTimeFormatOptions): string {
  const key = language.value + JSON.stringify(options);
  let formatter = formats.get(key);
  if (!formatter) {
    const locale = language.value === "de" ? "de-DE" : "en-GB";
    formatter = new Intl.DateTimeFormat(locale, options);
    formats.set(key, formatter);
  }
  return formatter.format(value);
}

const two = (n: number) => String(n).padStart(2, "0");

/** 2026-11-24 of a moment, here. */
export function dayOf(at: number | Date): string {
  const d = new Date(at);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** Noon of a day: safe from clock changes when days are added. */
function noon(day: string): Date {
  const [y, m, d] = day.slice(0, 10).split("-").map(Number);
  return new Date(y!, m! - 1, d!, 12);
}

export function addDays(day: string, n: number): string {
  const d = noon(day);
  d.setDate(d.getDate() + n);
  return dayOf(d);
}

/** Monday of its week. */
export function weekOf(day: string): string {
  return addDays(day, -((noon(day).getDay() + 6) % 7));
}

export function daysBetween(from: string, to: string): number {
  return Math.round((noon(to).getTime() - noon(from).getTime()) / 86_400_000);
}

export function dayName(day: string, long = false): string {
  const distance = daysBetween(dayOf(now.value), day);
  if (distance === 0) return t("today");
  if (distance === 1) return t("tomorrow");
  if (distance === -1) return t("yesterday");
  if (!long && distance > 1 && distance < 7) return format(noon(day), { weekday: "long" });
  const sameYear = day.slice(0, 4) === dayOf(now.value).slice(0, 4);
  return format(noon(day), {
    weekday: long ? "long" : "short",
    day: "numeric",
    month: long ? "long" : "short",
    ...(sameYear ? {} : { year: "numeric" }),
  });
}

export function weekdayShort(day: string): string {
  return format(noon(day), { weekday: "short" });
}

export function dayOfMonth(day: string): string {
  return format(noon(day), { day: "numeric", month: "short" });
}

export function clock(at: number | string | Date): string {
  return format(new Date(at), { hour: "2-digit", minute: "2-digit" });
}

export function hasTime(task: Pick<Task, "due_date">): boolean {
  return (task.due_date?.length ?? 0) > 10;
}

export function dueDay(task: Pick<Task, "due_date" | "due_at" | "timezone">): string | undefined {
  if (!task.due_date) return undefined;
  // Said in another zone: the day it falls on here.
  return hasTime(task) && task.due_at ? dayOf(Date.parse(task.due_at)) : task.due_date.slice(0, 10);
}

/** "Tomorrow, 09:00" */
export function dueText(task: Pick<Task, "due_date" | "due_at" | "timezone">): string {
  const day = dueDay(task);
  if (!day) return "";
  const at = hasTime(task) ? (task.due_at ?? task.due_date!) : undefined;
  return at ? `${dayName(day)}, ${clock(at)}` : dayName(day);
}

export function whenText(at: string): string {
  return `${dayName(dayOf(Date.parse(at)))}, ${clock(at)}`;
}

export function isOverdue(task: Task, at = now.value): boolean {
  if (task.status !== "open" || !task.due_date) return false;
  if (hasTime(task) && task.due_at) return Date.parse(task.due_at) < at;
  return task.due_date.slice(0, 10) < dayOf(at);
}

export function everyText(frequency: string, n: number): string {
  return `${n === 1 ? "" : `${n} `}${plural(`unit_${frequency}` as "unit_daily", n)}`;
}
