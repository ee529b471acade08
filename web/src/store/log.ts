// SPDX-License-Identifier: Apache-2.0
/**
 * The conversation: turns and reminders in the order of their time, each once, whether it came as a
 * reply, as an event or from the history.
 */
import { signal } from "@preact/signals";
import type { ChatTurn, Command, ReminderData, Reply } from "../../client/index.ts";

export type TurnState = "queued" | "sent" | "failed" | "held";

export interface TurnEntry {
  kind: "turn";
  key: string;
  at: number;
  id: string;
  device: string;
  text: string;
  state: TurnState;
  /** The action of this device that the turn was, for its label. */
  action?: string;
  reply?: Reply;
  error?: { code: string; message: string };
  command?: Command;
}

export interface ReminderEntry {
  kind: "reminder";
  key: string;
  at: number;
  data: ReminderData;
  cleared: boolean;
}

export type Entry = TurnEntry | ReminderEntry;

/** In memory; older ones are read again when somebody scrolls back to them. */
const KEPT_MAX = 4000;

export const entries = signal<readonly Entry[]>([]);
const index = new Map<string, Entry>();

const keyOf = (device: string, id: string) => `${device}/${id}`;

function position(list: readonly Entry[], at: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.at <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Adds entries or puts them in the place of those with the same key. */
export function putEntries(fresh: readonly Entry[]): void {
  if (!fresh.length) return;
  const list = [...entries.value];
  for (const entry of fresh) {
    const old = index.get(entry.key);
    if (old) {
      const at = list.indexOf(old);
      if (old.at === entry.at) {
        list[at] = entry;
        index.set(entry.key, entry);
        continue;
      }
      list.splice(at, 1);
    }
    list.splice(position(list, entry.at), 0, entry);
    index.set(entry.key, entry);
  }
  entries.value = list;
}

export function trimEntries(): string[] {
  const extra = entries.value.length - KEPT_MAX;
  if (extra <= 0) return [];
  const gone = entries.value.slice(0, extra).map((entry) => entry.key);
  for (const key of gone) index.delete(key);
  entries.value = entries.value.slice(extra);
  return gone;
}

export function removeEntry(key: string): void {
  index.delete(key);
  entries.value = entries.value.filter((entry) => entry.key !== key);
}

export function clearEntries(): void {
  index.clear();
  entries.value = [];
}

export function turnOf(device: string, id: string): TurnEntry | undefined {
  const entry = index.get(keyOf(device, id));
  return entry?.kind === "turn" ? entry : undefined;
}

export function queuedTurn(device: string, command: Command, state: TurnState): TurnEntry {
  return {
    kind: "turn",
    key: keyOf(device, command.id),
    at: Date.parse(command.at),
    id: command.id,
    device,
    text: command.text ?? "",
    state,
    action: command.action,
    command,
  };
}

/** A turn that the server has; what this device knew of it is kept. */
export function turnEntry(turn: ChatTurn): TurnEntry {
  const known = turnOf(turn.device, turn.id);
  return {
    kind: "turn",
    key: keyOf(turn.device, turn.id),
    at: known?.at ?? Date.parse(turn.at),
    id: turn.id,
    device: turn.device,
    text: turn.text,
    state: "sent",
    action: known?.action,
    reply: turn.reply,
  };
}

export function reminderEntry(eventId: string, time: string, data: ReminderData): ReminderEntry {
  return { kind: "reminder", key: `event/${eventId}`, at: Date.parse(time), data, cleared: false };
}

/** All reminders of a tag are taken care of. */
export function clearedEntries(tag: string): ReminderEntry[] {
  return entries.value
    .filter(
      (entry): entry is ReminderEntry =>
        entry.kind === "reminder" && entry.data.tag === tag && !entry.cleared,
    )
    .map((entry) => ({ ...entry, cleared: true }));
}

/** What was said last, for the up arrow. */
export function lastSaid(): string {
  for (let i = entries.value.length - 1; i >= 0; i--) {
    const entry = entries.value[i]!;
    if (entry.kind === "turn" && entry.text) return entry.text;
  }
  return "";
}
