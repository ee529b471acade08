// SPDX-License-Identifier: Apache-2.0
/**
 * Joins the client library, the stores and the database: shows the last state at once, connects, takes
 * events in, and writes down what they changed together with their number.
 */
import { batch, signal } from "@preact/signals";
import {
  type ActionArgs,
  type ActionName,
  type ChatTurn,
  type Command,
  type Connected,
  type EventFrame,
  type ReminderData,
  type Reply,
  type State,
  type Task,
  TodoClient,
} from "../../client/index.ts";
import { ApiError, allTasks } from "../api.ts";
import { closeNotification, notify } from "../notify.ts";
import { deviceId, language, timezone } from "../prefs.ts";
import { offerUndo } from "../toasts.ts";
import { Db } from "./db.ts";
import {
  clearEntries,
  clearedEntries,
  type Entry,
  putEntries,
  queuedTurn,
  reminderEntry,
  removeEntry,
  trimEntries,
  turnEntry,
  turnOf,
} from "./log.ts";
import { forget } from "./oidc.ts";
import { expire, freshen, renewIn, type Session, session } from "./session.ts";
import { clearTasks, dropOthers, putTasks, versions } from "./tasks.ts";

const SAVE_AFTER_MS = 250;
const HISTORY_PAGE = 40;
const DONE_SHOWN = 100;
const REPLAYED = 200;
const STALE_MS = 3_600_000;
const UNDOABLE = new Set<ActionName>(["complete", "delete", "skip", "snooze"]);

export const line = signal<State>("connecting");
export const stale = signal<readonly Command[]>([]);
/** Messages of this device that the server is working on. */
export const working = signal(0);
export const moreHistory = signal(true);
export const loadingHistory = signal(false);

const device = deviceId();
const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("todo-chat") : undefined;

let db: Db | undefined;
let client: TodoClient | undefined;
let oldest: number | undefined;

// Writing down

let dirtyTasks = new Map<string, Task>();
let dirtyLog = new Map<string, Entry>();
let saving: ReturnType<typeof setTimeout> | undefined;
let renewing: ReturnType<typeof setTimeout> | undefined;

function save(): void {
  saving ??= setTimeout(() => void flush(), SAVE_AFTER_MS);
}

async function flush(): Promise<void> {
  clearTimeout(saving);
  saving = undefined;
  const seq = client?.seq;
  if (!db || seq === undefined) return;
  const changes = { seq, tasks: [...dirtyTasks.values()], log: [...dirtyLog.values()] };
  dirtyTasks = new Map();
  dirtyLog = new Map();
  try {
    await db.save(changes);
    const gone = trimEntries();
    if (gone.length) await db.forget(gone);
  } catch {
    // No room or no permission: the page works on, the next start reads from the server.
  }
}

function keepTasks(tasks: readonly Task[]): void {
  for (const task of putTasks(tasks)) dirtyTasks.set(task.id, task);
  save();
}

function keepEntries(entries: readonly Entry[]): void {
  putEntries(entries);
  for (const entry of entries)
    if (entry.kind === "reminder" || entry.state === "sent") dirtyLog.set(entry.key, entry);
  save();
}

// Events

function onTurn(turn: ChatTurn): void {
  keepEntries([turnEntry(turn)]);
}

function onReminder({ event }: EventFrame): void {
  const data = event.data as ReminderData;
  keepEntries([reminderEntry(event.id, event.time, data)]);
  const fresh = Date.now() - Date.parse(event.time) < 60_000;
  if (event.type === "reminder.triggered" && fresh) void notify(data);
}

function onCleared({ event }: EventFrame): void {
  const tag = (event.data as { tag?: string }).tag ?? event.subject ?? "";
  keepEntries(clearedEntries(tag));
  void closeNotification(tag);
}

const onTask = ({ event }: EventFrame) => keepTasks([event.data as Task]);

const handlers: Record<string, (frame: EventFrame) => void> = {
  "task.created": onTask,
  "task.updated": onTask,
  "task.completed": onTask,
  "task.deleted": onTask,
  "recurring.generated": ({ event }) => keepTasks([(event.data as { task: Task }).task]),
  "reminder.triggered": onReminder,
  "reminder.missed": onReminder,
  "reminder.cleared": onCleared,
  "chat.turn": ({ event }) => onTurn(event.data as ChatTurn),
};

let pendingFrames: EventFrame[] = [];

/** A burst of events is one change of the page. */
function onEvent(frame: EventFrame): void {
  if (pendingFrames.push(frame) === 1) queueMicrotask(takeEvents);
}

function takeEvents(): void {
  const frames = pendingFrames;
  pendingFrames = [];
  batch(() => {
    for (const frame of frames) handlers[frame.event.type]?.(frame);
  });
  save();
  if (!document.hidden) client?.ack(frames[frames.length - 1]!.seq);
}

// Connecting

async function onConnected(frame: Connected, hadState: boolean): Promise<void> {
  if (hadState && frame.recovered) return;
  const before = versions();
  try {
    const [open, finished] = await Promise.all([allTasks("open"), allTasks("done", DONE_SHOWN)]);
    const tasks = [...open, ...finished];
    batch(() => {
      putTasks(tasks);
      dropOthers(before, new Set(tasks.map((task) => task.id)));
    });
    await db?.reset(frame.seq, tasks).catch(() => {});
  } catch {
    // What is kept and the events stand; the next connect that can't go on from them tries again.
  }
  await olderHistory();
}

export async function olderHistory(): Promise<void> {
  if (client?.state !== "connected" || loadingHistory.value || !moreHistory.value) return;
  loadingHistory.value = true;
  try {
    const page = await client.history(HISTORY_PAGE, oldest);
    const lines = page.lines.map((turn) => turnEntry(turn));
    oldest = page.lines.reduce(
      (least, { n }) => Math.min(least, n),
      oldest ?? Number.MAX_SAFE_INTEGER,
    );
    batch(() => {
      keepEntries(lines);
      moreHistory.value = page.more && page.lines.length > 0;
    });
  } catch {
    // Asked for again at the next scroll.
  } finally {
    loadingHistory.value = false;
  }
}

function address(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
}

function listen(made: TodoClient, hadState: boolean): void {
  let known = hadState;
  let replayed = hadState;
  made.on("state", (state) => {
    line.value = state;
  });
  made.on("connected", (frame) => {
    if (!replayed && frame.seq > 0) {
      // The history has no reminders: the last events show them on a new device too.
      replayed = true;
      made.resume(Math.max(0, frame.seq - REPLAYED));
      return;
    }
    const before = known;
    known = true;
    working.value = made.queue.filter((c) => c.kind === "message").length;
    void onConnected(frame, before);
  });
  made.on("event", onEvent);
  made.on("reply", ({ command, reply }) => onReply(command, reply));
  made.on("failed", ({ command, error }) => {
    const entry = turnOf(device, command.id) ?? queuedTurn(device, command, "failed");
    putEntries([{ ...entry, command, state: "failed", error }]);
    count();
  });
  made.on("stale", (commands) => {
    stale.value = commands;
    putEntries(commands.map((command) => queuedTurn(device, command, "held")));
  });
  made.on("unauthorized", leave);
}

/** The session is over; what is known here stays for the next one. */
function leave(): void {
  clearTimeout(renewing);
  void expire(db).then(close);
}

/** A token that is good for a while: asked before each connect. */
async function token(): Promise<string> {
  try {
    const fresh = await freshen(db);
    renewLater();
    return fresh?.token ?? "";
  } catch (error) {
    if (error instanceof ApiError && error.status > 0) leave();
    throw error;
  }
}

/** The open connection gets a new token before the old one ends. */
function renewLater(): void {
  clearTimeout(renewing);
  const wait = renewIn(session.value);
  if (wait === undefined) return;
  renewing = setTimeout(() => {
    token().then(
      (fresh) => client?.authenticate(fresh),
      () => {
        // No network: connecting again asks for a token anyway.
      },
    );
  }, wait);
}

function count(): void {
  working.value = client?.queue.filter((command) => command.kind === "message").length ?? 0;
}

function onReply(command: Command, reply: Reply): void {
  batch(() => {
    const at = command.at;
    const entry = turnEntry({ device, id: command.id, at, text: command.text ?? "", reply });
    keepEntries([{ ...entry, action: command.action }]);
    const tasks = reply.task ? [reply.task] : (reply.tasks ?? []);
    keepTasks(tasks.filter((task) => task.version));
    count();
  });
}

/** Shows what is kept and connects. */
export async function open(who: Session, database: Db | undefined): Promise<void> {
  db = database;
  let since: number | undefined;
  try {
    const owner = await db?.get<string>("owner");
    if (db && owner !== undefined && owner !== who.user) {
      db.close();
      await Db.destroy();
      db = await Db.open();
      await db.set("session", who);
    }
    await db?.set("owner", who.user);
    const kept = await db?.snapshot();
    since = kept?.seq;
    batch(() => {
      putTasks(kept?.tasks ?? []);
      putEntries(kept?.log ?? []);
    });
    const queued = (await db?.load()) ?? [];
    putEntries(queued.map((command) => queuedTurn(device, command, "queued")));
  } catch {
    db = undefined;
  }
  client = new TodoClient({
    url: address(),
    token,
    device,
    timezone,
    get locale() {
      return language.value;
    },
    since,
    staleAfter: STALE_MS,
    ...(db ? { outbox: db } : {}),
  });
  listen(client, since !== undefined);
  client.start();
}

function close(): void {
  void flush();
  client?.stop();
  client = undefined;
  oldest = undefined;
  moreHistory.value = true;
}

export async function signOut(elsewhere = false): Promise<void> {
  clearTimeout(renewing);
  const renewal = session.value?.renewal;
  if (renewal && !elsewhere) await forget(renewal).catch(() => {});
  client?.stop();
  client = undefined;
  clearTimeout(saving);
  saving = undefined;
  db?.close();
  await Db.destroy();
  db = undefined;
  clearTasks();
  clearEntries();
  if (!elsewhere) tabs?.postMessage("signed-out");
  location.replace("/");
}

export function followWindow(): void {
  // What the server says from now on is to be in the language just chosen.
  let spoken = language.value;
  language.subscribe((chosen) => {
    if (chosen !== spoken && client) client.resume(client.seq);
    spoken = chosen;
  });
  addEventListener("online", () => client?.wake());
  addEventListener("pagehide", () => void flush());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      void flush();
      return;
    }
    client?.wake();
    if (client?.seq) client.ack(client.seq);
  });
  tabs?.addEventListener("message", (event) => {
    if (event.data === "signed-out") void signOut(true);
  });
}

export const wake = () => client?.wake();

// Saying and doing

export function say(text: string): void {
  if (!client) return;
  const promise = client.say(text);
  const command = client.queue.at(-1)!;
  putEntries([queuedTurn(device, command, "queued")]);
  count();
  promise.catch(() => {});
}

/** Resolves with whether it was done; what went wrong is shown in the conversation. */
export async function act(action: ActionName, task?: string, args?: ActionArgs): Promise<boolean> {
  if (!client) return false;
  const promise = client.act(action, task, args);
  const command = client.queue.at(-1)!;
  putEntries([queuedTurn(device, command, "queued")]);
  try {
    const reply = await promise;
    if (UNDOABLE.has(action)) offerUndo(reply.text);
    return true;
  } catch {
    return false;
  }
}

export function retry(key: string, command: Command): void {
  removeEntry(key);
  if (command.kind === "message") say(command.text ?? "");
  else void act(command.action!, command.task, command.args);
}

export function dropTurn(key: string, command: Command): void {
  client?.discard([command.id]);
  removeEntry(key);
}

export function settleStale(send: boolean): void {
  const commands = stale.value;
  stale.value = [];
  const ids = commands.map((command) => command.id);
  if (send) {
    putEntries(commands.map((command) => queuedTurn(device, command, "queued")));
    client?.release(ids);
  } else {
    client?.discard(ids);
    for (const command of commands) removeEntry(queuedTurn(device, command, "held").key);
  }
}

/** A task as REST returned it after an edit: the event will say the same. */
export const learn = (task: Task) => keepTasks([task]);
