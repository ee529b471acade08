// SPDX-License-Identifier: Apache-2.0
/** The REST calls the page needs. A route the server doesn't have is an answer too, not a failure. */
import type { Recurrence, Task, Understood } from "../client/index.ts";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
  /** The server doesn't have this route (yet). */
  get missing(): boolean {
    return this.status === 404 || this.status === 405 || this.status === 501;
  }
}

let token = "";

export function setToken(value: string): void {
  token = value;
}

async function call<T>(
  method: string,
  path: string,
  body?: unknown,
  headers?: HeadersInit,
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
    });
  } catch {
    throw new ApiError(0, "");
  }
  const data = await response.json().catch(() => undefined);
  if (!response.ok)
    throw new ApiError(response.status, data?.detail ?? data?.title ?? data?.message ?? "");
  return data as T;
}

export interface SignIn {
  token: string;
  expires_in?: number;
  user: string;
}

/** The OpenID provider that a server's users sign in at. */
export interface Provider {
  issuer: string;
  client_id: string;
  scope: string;
}

/** undefined: this server knows sign-in codes only. */
export const providerOf = () => call<Provider | undefined>("GET", "/auth/provider");

export const exchangeCode = (code: string) => call<SignIn>("POST", "/auth/code", { code });

interface Page {
  tasks: Task[];
  next_cursor?: string | null;
}

export async function allTasks(
  status: "open" | "done",
  most = Number.POSITIVE_INFINITY,
): Promise<Task[]> {
  const tasks: Task[] = [];
  let cursor = "";
  do {
    const query = new URLSearchParams({ status, limit: "100", ...(cursor ? { cursor } : {}) });
    const page = await call<Page>("GET", `/api/v1/tasks?${query}`);
    tasks.push(...page.tasks);
    cursor = page.next_cursor ?? "";
  } while (cursor && tasks.length < most);
  return tasks;
}

export interface TaskPatch {
  title?: string;
  notes?: string;
  due_date?: string | null;
  timezone?: string;
  priority?: number | null;
  project?: string | null;
  tags?: string[];
  recurrence_pattern?: Recurrence | null;
}

export const getTaskById = (id: string) =>
  call<Task>("GET", `/api/v1/tasks/${encodeURIComponent(id)}`);

export const patchTask = (task: Task, patch: TaskPatch) =>
  call<Task>("PATCH", `/api/v1/tasks/${encodeURIComponent(task.id)}`, patch, {
    "If-Match": `"${task.version}"`,
  });

export interface Parsed {
  commands: {
    intent: string;
    confidence_percent: number;
    title?: string;
    due_date?: string;
    rrule?: string;
    priority?: number;
    tags?: string[];
    project?: string;
  }[];
  understood: Understood[];
  warnings: string[];
}

export const parse = (text: string, timezone: string, locale: string) =>
  call<Parsed>("POST", "/api/v1/parse", { text, timezone, locale });

export interface QuietHours {
  from: string;
  to: string;
  urgent_passes: boolean;
}

export interface Me {
  timezone?: string;
  language?: string;
  default_time?: string;
  quiet_hours?: QuietHours | null;
  [more: string]: unknown;
}

/** All tokens of this user end. */
export const signOutEverywhere = () => call<void>("POST", "/api/v1/me/sign-out");

export const getMe = () => call<Me>("GET", "/api/v1/me");
export const patchMe = (patch: Partial<Me>) => call<Me>("PATCH", "/api/v1/me", patch);
