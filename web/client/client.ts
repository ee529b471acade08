// SPDX-License-Identifier: Apache-2.0
/**
 * One user's line to the server: connects, resumes, and gets every command answered exactly once.
 *
 * - A command's id is its idempotency key. It stays in the outbox until its answer is here and is sent
 *   again, byte for byte the same, after every reconnect; the server does it once.
 * - Events arrive in order of `seq`, each once; `seq` is the cursor a caller stores and hands back as
 *   `since`. A gap can only mean that the connection is broken: it is closed and resumed.
 * - Nothing here knows what a task is or how anything looks.
 */
import { afterClose } from "./backoff.ts";
import { MemoryOutbox, type Outbox } from "./outbox.ts";
import type {
  ActionArgs,
  ActionName,
  Command,
  Connected,
  ErrorFrame,
  EventFrame,
  HistoryPage,
  Reply,
  ServerFrame,
} from "./protocol.ts";

export type State = "stopped" | "connecting" | "connected" | "waiting";

interface SocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
}

export interface ClientOptions {
  /** ws:// or wss:// address of the server's `/ws`. */
  url: string;
  /** A token, or where to get one: asked before every connect. */
  token: string | (() => string | Promise<string>);
  /** Stable per installation. */
  device: string;
  timezone?: string;
  locale?: string;
  /** The newest event this caller has kept; undefined: begin with what comes next. */
  since?: number;
  outbox?: Outbox;
  /** Commands older than this when a connection is there are held until `release` or `discard`. */
  staleAfter?: number;
  /** Silence after which the server is asked for a sign of life; twice that, and it is given up. */
  pingEvery?: number;
  WebSocket?: new (url: string, protocols: string[]) => SocketLike;
  random?: () => number;
}

export interface Events {
  state: State;
  connected: Connected;
  /** In order, each once. The cursor `client.seq` is at it already. */
  event: EventFrame;
  /** A command's answer: also for those that were queued by an earlier run of the program. */
  reply: { command: Command; reply: Reply };
  failed: { command: Command; error: ErrorFrame };
  /** Old commands that wait for `release` or `discard`. */
  stale: Command[];
  /** An error that belongs to no command. */
  problem: ErrorFrame;
  /** The token is no longer good: give a new one by `authenticate`. */
  unauthorized: ErrorFrame | undefined;
}

/** What a command's promise is rejected with. */
export class CommandError extends Error {
  constructor(readonly frame: ErrorFrame) {
    super(frame.message);
    this.name = "CommandError";
  }
  get code(): string {
    return this.frame.code;
  }
}

interface Pending {
  command: Command;
  /** Put on the line at least once by this run: it may have been done. */
  sent: boolean;
  held: boolean;
  retryAt?: ReturnType<typeof setTimeout>;
  resolve?: (reply: Reply) => void;
  reject?: (error: Error) => void;
}

const HOUR = 3_600_000;
/** A clock that is off by more than the network explains. */
const SKEW_MS = 3_000;
/** These say "not now": the command stays queued and is sent again. */
const TRANSIENT = new Set(["unavailable", "rate_limited", "overloaded", "timeout"]);
const PROTOCOL = "todo.v1";

export function newId(): string {
  return crypto.randomUUID();
}

function frameOf(command: Command): string {
  const { kind, id, at, text, action, task, args } = command;
  return JSON.stringify(
    kind === "message" ? { type: kind, id, text, at } : { type: kind, id, action, task, args },
  );
}

export class TodoClient {
  #options: ClientOptions;
  #outbox: Outbox;
  #socket: SocketLike | undefined;
  #state: State = "stopped";
  #seq: number | undefined;
  #attempt = 0;
  #pending = new Map<string, Pending>();
  #asked = new Map<string, { resolve: (page: HistoryPage) => void; reject: (e: Error) => void }>();
  #loaded: Promise<void> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pinger: ReturnType<typeof setInterval> | undefined;
  #heard = 0;
  #generation = 0;
  #refused: ErrorFrame | undefined;
  #skew = 0;
  #listeners = new Map<keyof Events, Set<(value: never) => void>>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#outbox = options.outbox ?? new MemoryOutbox();
    this.#seq = options.since;
  }

  get state(): State {
    return this.#state;
  }

  /** The newest event that was delivered. */
  get seq(): number | undefined {
    return this.#seq;
  }

  /** Commands without an answer, in order. */
  get queue(): Command[] {
    return [...this.#pending.values()].map((p) => p.command);
  }

  /** Now, by the server's clock where this one is off: "in 5 minutes" must not suffer from it. */
  get now(): number {
    return Date.now() + this.#skew;
  }

  /** Returns what takes the listener off again. */
  on<K extends keyof Events>(name: K, listener: (value: Events[K]) => void): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set);
    set.add(listener as (value: never) => void);
    return () => set.delete(listener as (value: never) => void);
  }

  start(): void {
    if (this.#state !== "stopped") return;
    this.#attempt = 0;
    void this.#connect();
  }

  /** Closes the line. What is queued stays so. */
  stop(): void {
    this.#generation++;
    clearTimeout(this.#retry);
    this.#drop(1000);
    this.#setState("stopped");
  }

  /** Don't wait for the next attempt: the network is back, or the page is looked at again. */
  wake(): void {
    if (this.#state === "waiting") {
      clearTimeout(this.#retry);
      void this.#connect();
    } else if (this.#state === "connected") {
      this.#ping();
    }
  }

  /** Begin anew after another event than the last seen: 0 is the first ever kept. */
  resume(since: number | undefined): void {
    this.stop();
    this.#seq = since;
    this.start();
  }

  /** A fresh token: taken up by the open connection, or by a new one if the old one was refused. */
  authenticate(token: string): void {
    // Where tokens come from by a function, that one knows the new token too.
    if (typeof this.#options.token === "string") this.#options = { ...this.#options, token };
    if (this.#state === "connected") this.#write(JSON.stringify({ type: "auth", token }));
    else this.start();
  }

  say(text: string, more: { id?: string; at?: Date } = {}): Promise<Reply> {
    return this.#submit({
      id: more.id ?? newId(),
      kind: "message",
      at: (more.at ?? new Date(this.now)).toISOString(),
      text,
    });
  }

  act(action: ActionName, task?: string, args?: ActionArgs, id = newId()): Promise<Reply> {
    return this.#submit({
      id,
      kind: "action",
      at: new Date(this.now).toISOString(),
      action,
      task,
      args,
    });
  }

  /** Older lines of the conversation; only while connected. */
  history(limit: number, before?: number): Promise<HistoryPage> {
    const id = newId();
    return new Promise((resolve, reject) => {
      if (this.#state !== "connected") {
        reject(new Error("not connected"));
        return;
      }
      this.#asked.set(id, { resolve, reject });
      this.#write(JSON.stringify({ type: "history", id, limit, before }));
    });
  }

  /** Events up to here were shown on this device. */
  ack(seq: number): void {
    if (this.#state === "connected") this.#write(JSON.stringify({ type: "ack", seq }));
  }

  /** Sends held commands after all; without ids, all of them. */
  release(ids?: string[]): void {
    for (const pending of this.#some(ids)) {
      if (!pending.held) continue;
      pending.held = false;
      this.#transmit(pending);
    }
  }

  /** Forgets commands that have no answer yet: held ones, or those not to be tried again. */
  discard(ids: string[]): void {
    for (const pending of this.#some(ids)) {
      this.#settle(pending);
      pending.reject?.(new Error("discarded"));
    }
  }

  #some(ids?: string[]): Pending[] {
    const all = [...this.#pending.values()];
    return ids ? all.filter((p) => ids.includes(p.command.id)) : all;
  }

  #emit<K extends keyof Events>(name: K, value: Events[K]): void {
    for (const listener of this.#listeners.get(name) ?? [])
      (listener as (v: Events[K]) => void)(value);
  }

  #setState(state: State): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#emit("state", state);
  }

  #submit(command: Command): Promise<Reply> {
    const known = this.#pending.get(command.id);
    if (known) this.discard([command.id]);
    return new Promise((resolve, reject) => {
      const pending: Pending = { command, sent: false, held: false, resolve, reject };
      this.#pending.set(command.id, pending);
      // A command that could not be written down is still sent; it only won't survive a restart.
      void this.#outbox.put(command).catch(() => {});
      this.#transmit(pending);
    });
  }

  #settle(pending: Pending): void {
    clearTimeout(pending.retryAt);
    this.#pending.delete(pending.command.id);
    void this.#outbox.remove(pending.command.id).catch(() => {});
  }

  #transmit(pending: Pending): void {
    if (this.#state !== "connected" || pending.held) return;
    pending.sent = true;
    this.#write(frameOf(pending.command));
  }

  #write(text: string): void {
    if (this.#socket?.readyState === 1) this.#socket.send(text);
  }

  async #load(): Promise<void> {
    const kept = await this.#outbox.load().catch(() => [] as Command[]);
    // What an earlier run left comes before what was said in this one.
    const now = this.#pending;
    this.#pending = new Map();
    for (const command of kept) {
      this.#pending.set(command.id, now.get(command.id) ?? { command, sent: false, held: false });
    }
    for (const [id, pending] of now) this.#pending.set(id, pending);
  }

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    this.#setState("connecting");
    let token: string;
    try {
      this.#loaded ??= this.#load();
      await this.#loaded;
      const { token: given } = this.#options;
      token = typeof given === "string" ? given : await given();
    } catch {
      if (generation === this.#generation) this.#closed(1006);
      return;
    }
    if (generation !== this.#generation) return;
    this.#open(token);
  }

  #open(token: string): void {
    const Socket = this.#options.WebSocket ?? (WebSocket as unknown as ClientOptions["WebSocket"])!;
    const socket = new Socket(this.#options.url, [PROTOCOL]);
    this.#socket = socket;
    const mine = () => this.#socket === socket;
    socket.onopen = () => {
      if (!mine()) return;
      const { device, timezone, locale } = this.#options;
      const since = this.#seq;
      socket.send(JSON.stringify({ type: "connect", token, device, timezone, locale, since }));
    };
    socket.onmessage = (message: { data: unknown }) => {
      if (!mine()) return;
      this.#heard = Date.now();
      this.#frame(String(message.data));
    };
    socket.onerror = () => {};
    socket.onclose = (close: { code: number }) => {
      if (mine()) this.#closed(close.code);
    };
    this.#heard = Date.now();
    clearInterval(this.#pinger);
    const every = this.#options.pingEvery ?? 25_000;
    this.#pinger = setInterval(() => this.#watch(every), every / 2);
  }

  /** Also covers a connect that never finishes. */
  #watch(every: number): void {
    const silent = Date.now() - this.#heard;
    if (silent >= every * 2) {
      this.#drop(4000);
      this.#closed(1006);
    } else if (silent >= every) {
      this.#ping();
    }
  }

  #ping(): void {
    this.#write('{"type":"ping"}');
  }

  #drop(code: number): void {
    const socket = this.#socket;
    this.#socket = undefined;
    clearInterval(this.#pinger);
    if (socket && socket.readyState < 2) socket.close(code);
    for (const { reject } of this.#asked.values()) reject(new Error("the connection was lost"));
    this.#asked.clear();
  }

  #closed(code: number): void {
    this.#drop(1000);
    const verdict = afterClose(code, this.#attempt++, this.#options.random ?? Math.random);
    if (!verdict.retry) {
      this.#setState("stopped");
      this.#emit("unauthorized", this.#refused);
      return;
    }
    this.#setState("waiting");
    this.#retry = setTimeout(() => void this.#connect(), verdict.wait);
  }

  #frame(text: string): void {
    let frame: ServerFrame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    switch (frame?.type) {
      case "connected":
        this.#onConnected(frame);
        break;
      case "event":
        this.#onEvent(frame);
        break;
      case "reply":
        this.#onReply(frame);
        break;
      case "history":
        this.#asked.get(frame.to)?.resolve(frame);
        this.#asked.delete(frame.to);
        break;
      case "error":
        this.#onError(frame);
        break;
    }
  }

  #onConnected(frame: Connected): void {
    this.#attempt = 0;
    this.#refused = undefined;
    const skew = Date.parse(frame.server_time) - Date.now();
    this.#skew = Math.abs(skew) > SKEW_MS ? skew : 0;
    if (this.#seq === undefined || !frame.recovered) this.#seq = frame.seq;
    const oldest = Date.now() - (this.#options.staleAfter ?? HOUR);
    const stale: Command[] = [];
    for (const pending of this.#pending.values()) {
      // What may have been done already is repeated whatever its age: it needs its answer.
      if (!pending.sent && Date.parse(pending.command.at) < oldest) pending.held = true;
      if (pending.held) stale.push(pending.command);
    }
    this.#setState("connected");
    this.#emit("connected", frame);
    for (const pending of this.#pending.values()) this.#transmit(pending);
    if (stale.length) this.#emit("stale", stale);
  }

  #onEvent(frame: EventFrame): void {
    if (this.#seq !== undefined && frame.seq <= this.#seq) return;
    if (this.#seq !== undefined && frame.seq > this.#seq + 1) {
      this.#drop(4000);
      this.#closed(1006);
      return;
    }
    this.#seq = frame.seq;
    this.#emit("event", frame);
  }

  #onReply(reply: Reply): void {
    const pending = this.#pending.get(reply.to);
    if (!pending) return;
    this.#settle(pending);
    this.#emit("reply", { command: pending.command, reply });
    pending.resolve?.(reply);
  }

  #onError(error: ErrorFrame): void {
    const asked = error.to ? this.#asked.get(error.to) : undefined;
    const pending = error.to ? this.#pending.get(error.to) : undefined;
    if (asked) {
      this.#asked.delete(error.to!);
      asked.reject(new CommandError(error));
    } else if (pending && TRANSIENT.has(error.code)) {
      const wait = (error.retry_after ?? 1) * 1000;
      clearTimeout(pending.retryAt);
      pending.retryAt = setTimeout(() => this.#transmit(pending), wait);
    } else if (pending) {
      this.#settle(pending);
      this.#emit("failed", { command: pending.command, error });
      pending.reject?.(new CommandError(error));
    } else {
      this.#refused = error;
      this.#emit("problem", error);
    }
  }
}
