// SPDX-License-Identifier: Apache-2.0
/** What was understood, as chips. On a task they start its correction in the message box. */
import type { Task, Understood } from "../../client/index.ts";
import type { Parsed } from "../api.ts";
import type { Key } from "../i18n/en.ts";
import { t } from "../i18n/index.ts";
import { clock, dayName, dueText, whenText } from "../time.ts";
import { compose } from "./composer.tsx";

interface Kind {
  label: Key;
  correct?: Key;
}

export interface Chip {
  kind: Kind;
  value: string;
}

const kinds = {
  title: { label: "chip_title", correct: "correct_title" },
  due: { label: "chip_due", correct: "correct_due" },
  time: { label: "chip_time", correct: "correct_due" },
  repeat: { label: "chip_recurrence" },
  reminder: { label: "chip_reminder", correct: "correct_reminder" },
  duration: { label: "chip_time" },
  priority: { label: "chip_priority", correct: "correct_priority" },
  tag: { label: "chip_tag", correct: "correct_tags" },
  project: { label: "chip_project" },
  target: { label: "chip_target" },
  range: { label: "chip_range" },
  filter: { label: "chip_filter" },
  other: { label: "chip_other" },
} satisfies Record<string, Kind>;

const byType: Record<string, Kind> = {
  ...kinds,
  date: kinds.due,
  datetime: kinds.due,
  set: kinds.repeat,
};

/** 2026-11-25, 2026-11-25T09:00 or anything else */
export function friendly(value: string): string {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value)) {
    const at = new Date(value);
    return Number.isNaN(at.getTime()) ? value : `${dayName(value.slice(0, 10))}, ${clock(at)}`;
  }
  return /^\d{4}-\d\d-\d\d$/.test(value) ? dayName(value) : value;
}

const priorities = ["priority_0", "priority_1", "priority_2", "priority_3", "priority_4"] as const;
const priorityText = (value: string | number) => t(priorities[Number(value)] ?? "priority_0");

/** Offsets count the bytes of UTF-8. */
function slice(text: string, start: number, end: number): string {
  return new TextDecoder().decode(new TextEncoder().encode(text).slice(start, end)).trim();
}

function shownValue(kind: Kind, value: string, said: string): string {
  if (kind === kinds.priority) return priorityText(value);
  if (kind === kinds.repeat || kind === kinds.duration || kind === kinds.range) return said;
  if (kind === kinds.tag) return value ? `#${value.replace(/^#/, "")}` : said;
  return friendly(value || said);
}

export function chipsOf(understood: readonly Understood[], text: string): Chip[] {
  const chips: Chip[] = [];
  for (const { type, value, start, end } of understood) {
    const kind = byType[type] ?? kinds.other;
    const shown = shownValue(kind, value, slice(text, start, end));
    if (shown && !chips.some((chip) => chip.kind === kind && chip.value === shown))
      chips.push({ kind, value: shown });
  }
  return chips;
}

/** What the task has become: surer than what was read. */
export function taskChips(task: Task, repeats: string): Chip[] {
  const chips: Chip[] = [];
  const add = (kind: Kind, value: string | null | undefined) => {
    if (value) chips.push({ kind, value });
  };
  add(kinds.due, dueText(task));
  add(kinds.repeat, task.is_recurring ? repeats : "");
  if (task.reminder_time !== task.due_at)
    add(kinds.reminder, task.reminder_time && whenText(task.reminder_time));
  add(kinds.priority, task.priority ? priorityText(task.priority) : "");
  for (const tag of task.tags ?? []) add(kinds.tag, `#${tag}`);
  add(kinds.project, task.project);
  return chips;
}

/** What a line would become. */
export function previewChips(parsed: Parsed, text: string): Chip[] {
  const first = parsed.commands[0];
  const chips: Chip[] = [];
  const add = (kind: Kind, value: string | undefined) => {
    if (value) chips.push({ kind, value });
  };
  const makes = first && /^(task\.create|reminder\.set)$/.test(first.intent);
  if (!makes) return chipsOf(parsed.understood, text);
  add(kinds.title, first.title);
  add(kinds.due, first.due_date && friendly(first.due_date));
  add(kinds.repeat, first.rrule && repeatWords(parsed.understood, text));
  add(kinds.priority, first.priority ? priorityText(first.priority) : "");
  for (const tag of first.tags ?? []) add(kinds.tag, `#${tag}`);
  add(kinds.project, first.project);
  return chips;
}

/** How a message said that something repeats. */
export function repeatWords(understood: readonly Understood[], text: string): string {
  const span = understood.find(({ type }) => byType[type] === kinds.repeat);
  return span ? slice(text, span.start, span.end) : t("repeats");
}

export function Chips({ chips, task, label }: { chips: Chip[]; task?: Task; label: Key }) {
  if (!chips.length) return null;
  return (
    <ul class="chips" aria-label={t(label)}>
      {chips.map(({ kind, value }) => {
        const content = (
          <>
            <span class="chip-label">{t(kind.label)}</span>
            <bdi>{value}</bdi>
          </>
        );
        const { correct } = kind;
        return (
          <li key={kind.label + value}>
            {task && correct ? (
              <button
                type="button"
                class="chip"
                title={t("correct", { what: t(kind.label) })}
                onClick={() => compose(t(correct, { title: task.title }))}
              >
                {content}
              </button>
            ) : (
              <span class="chip">{content}</span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
