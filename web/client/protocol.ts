// SPDX-License-Identifier: Apache-2.0
/**
 * The frames of the WebSocket protocol `todo.v1` and the objects in them, as types. What a server may
 * leave out is optional here; unknown fields are kept and ignored.
 */

export interface Recurrence {
  frequency: "minutely" | "hourly" | "daily" | "weekly" | "monthly" | "yearly" | "custom";
  interval?: number;
  by_day?: string[];
  by_month_day?: number[];
  ends?: { count?: number; until?: string };
  exceptions?: string[];
  anchor?: "schedule" | "completion";
  rrule?: string | null;
}

export interface Reminder {
  id: string;
  before?: number;
  at?: string;
  [more: string]: unknown;
}

export interface Task {
  id: string;
  version: number;
  title: string;
  notes?: string;
  status: "open" | "done" | "deleted" | (string & {});
  priority?: number | null;
  tags?: string[];
  project?: string | null;
  /** Local wall time: `2026-11-24` or `2026-11-24T09:00:00`. */
  due_date?: string | null;
  timezone?: string;
  /** The same as an instant, in UTC. */
  due_at?: string;
  reminder_time?: string | null;
  reminders?: Reminder[];
  is_recurring?: boolean;
  recurrence_pattern?: Recurrence | null;
  occurrence?: number;
  created_at?: string;
  updated_at?: string;
  completed_at?: string | null;
}

export type ActionName =
  | "complete"
  | "reopen"
  | "skip"
  | "snooze"
  | "dismiss"
  | "delete"
  | "undo"
  | "confirm"
  | "choose";

export type ActionArgs = Record<string, string | number | boolean>;

export interface Suggestion {
  label: string;
  text?: string;
  action?: ActionName;
  task?: string;
  args?: ActionArgs;
}

/** `start` and `end` are offsets in the UTF-8 bytes of the message. */
export interface Understood {
  type: string;
  start: number;
  end: number;
  value: string;
}

export interface Reply {
  type: "reply";
  to: string;
  intent: string;
  text: string;
  task?: Task;
  tasks?: Task[];
  suggestions?: Suggestion[];
  understood?: Understood[];
  warnings?: string[];
}

export interface ReminderData {
  title: string;
  body?: string;
  priority?: number;
  tag: string;
  click?: string;
  expires?: string;
  actions?: { id: ActionName; label: string; args?: ActionArgs }[];
  task_id?: string;
  reminder_id?: string;
  fire_at?: string;
  due_date?: string;
  due_at?: string;
  late?: boolean;
  digest?: boolean;
  count?: number;
}

export interface ChatTurn {
  device: string;
  id: string;
  at: string;
  text: string;
  reply: Reply;
}

export interface CloudEvent<T = unknown> {
  specversion: "1.0";
  id: string;
  source: string;
  type: string;
  subject?: string;
  time: string;
  userid: string;
  userseq?: number;
  data: T;
}

export interface HistoryLine extends ChatTurn {
  n: number;
}

export interface Connected {
  type: "connected";
  user: string;
  session: string;
  seq: number;
  server_time: string;
  limits?: Record<string, number>;
  recovered: boolean;
}

export interface HistoryPage {
  type: "history";
  to: string;
  lines: HistoryLine[];
  more: boolean;
}

export interface ErrorFrame {
  type: "error";
  to?: string;
  code: string;
  message: string;
  retry_after?: number;
}

export interface EventFrame {
  type: "event";
  seq: number;
  event: CloudEvent;
}

export type ServerFrame =
  | Connected
  | Reply
  | EventFrame
  | HistoryPage
  | ErrorFrame
  | { type: "authed"; expires: string }
  | { type: "pong" };

/** What waits in the queue until its answer is here. */
export interface Command {
  id: string;
  kind: "message" | "action";
  /** When it was written, RFC 3339. */
  at: string;
  text?: string;
  action?: ActionName;
  task?: string;
  args?: ActionArgs;
}

export type ActionCommand = Command & { kind: "action"; action: ActionName };
