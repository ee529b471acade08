// SPDX-License-Identifier: Apache-2.0
/**
 * The next dates of a plain repetition, for the editor's preview. The server's engine decides; this one
 * knows only what the editor can make: every n days, weeks on weekdays, months and years on a date.
 */
import type { Recurrence } from "../client/index.ts";
import { addDays, daysBetween, weekOf } from "./time.ts";

export const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
export const EDITABLE = ["daily", "weekly", "monthly", "yearly"] as const;
export type Editable = (typeof EDITABLE)[number];

const LONGEST_SEARCH = 8000;

export function isEditable(pattern: Recurrence | null | undefined): boolean {
  if (!pattern) return true;
  const days = pattern.by_month_day ?? [];
  return (
    (EDITABLE as readonly string[]).includes(pattern.frequency) &&
    (pattern.by_day ?? []).every((day) => (WEEKDAYS as readonly string[]).includes(day)) &&
    days.length <= 1 &&
    (pattern.frequency === "weekly" || !pattern.by_day?.length) &&
    !pattern.exceptions?.length
  );
}

function matches(pattern: Recurrence, start: string, day: string): boolean {
  const interval = pattern.interval ?? 1;
  const [y0, m0, d0] = start.split("-").map(Number) as [number, number, number];
  const [y, m, d] = day.split("-").map(Number) as [number, number, number];
  switch (pattern.frequency) {
    case "daily":
      return daysBetween(start, day) % interval === 0;
    case "weekly": {
      const weeks = Math.round(daysBetween(weekOf(start), weekOf(day)) / 7);
      const weekday = WEEKDAYS[daysBetween(weekOf(day), day)]!;
      const wanted = pattern.by_day?.length
        ? pattern.by_day
        : [WEEKDAYS[daysBetween(weekOf(start), start)]!];
      return weeks % interval === 0 && wanted.includes(weekday);
    }
    case "monthly":
      return ((y - y0) * 12 + m - m0) % interval === 0 && d === (pattern.by_month_day?.[0] ?? d0);
    case "yearly":
      return (y - y0) % interval === 0 && m === m0 && d === d0;
    default:
      return false;
  }
}

export function nextDates(pattern: Recurrence, start: string, n: number): string[] {
  const found: string[] = [];
  const until = pattern.ends?.until?.slice(0, 10);
  const most = Math.min(n, pattern.ends?.count ?? n);
  for (
    let i = 0, day = start;
    i < LONGEST_SEARCH && found.length < most;
    i++, day = addDays(start, i)
  ) {
    if (until && day > until) break;
    if (matches(pattern, start, day)) found.push(day);
  }
  return found;
}
