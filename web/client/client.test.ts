// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { afterClose } from "./backoff.ts";
import { type ClientOptions, CommandError, TodoClient } from "./client.ts";
import { FakeServer, send, until } from "./fake_server.ts";
import { MemoryOutbox } from "./outbox.ts";
import type { Command, ErrorFrame } from "./protocol.ts";

let server: FakeServer;
const clients: TodoClient[] = [];

beforeEach(async () => {
  server = await FakeServer.start();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.stop();
  await server.stop();
});

function client(more: Partial<ClientOptions> = {}): TodoClient {
  const made = new TodoClient({
    url: server.url,
    token: "t",
    device: "desk",
    WebSocket: WebSocket as unknown as ClientOptions["WebSocket"],
    random: () => 0,
    ...more,
  });
  clients.push(made);
  return made;
}

function command(id: string, age = 0): Command {
  return {
    id,
    kind: "message",
    at: new Date(Date.now() - age).toISOString(),
    text: `text of ${id}`,
  };
}

const connected = (c: TodoClient) => until("connected", () => c.state === "connected");

describe("connecting", () => {
  it("sends who it is and from where to go on", async () => {
    const c = client({ since: 7, timezone: "Europe/Berlin", locale: "de" });
    server.seq = 9;
    c.start();
    await connected(c);
    expect(server.of("connect")[0]).toEqual({
      type: "connect",
      token: "t",
      device: "desk",
      timezone: "Europe/Berlin",
      locale: "de",
      since: 7,
    });
    expect(c.seq).toBe(7);
  });

  it("begins at the server's number when it has none, or an unknown one", async () => {
    server.seq = 41;
    const fresh = client();
    fresh.start();
    await connected(fresh);
    expect(fresh.seq).toBe(41);
    server.recovered = false;
    const old = client({ since: 3 });
    old.start();
    await connected(old);
    expect(old.seq).toBe(41);
  });

  it("asks for a token before each connect", async () => {
    let n = 0;
    const c = client({ token: async () => `t${++n}` });
    c.start();
    await connected(c);
    server.drop(1012);
    await until("again", () => server.of("connect").length === 2);
    expect(server.of("connect").map((f) => f.token)).toEqual(["t1", "t2"]);
  });

  it("gives up on a refused token until it gets another one", async () => {
    server.onConnect = (_, socket) => {
      send(socket, { type: "error", code: "token_expired", message: "expired" });
      socket.close(4401);
    };
    const c = client();
    const refused: (ErrorFrame | undefined)[] = [];
    c.on("unauthorized", (error) => refused.push(error));
    const kept = c.say("kept");
    c.start();
    await until("refused", () => refused.length === 1);
    expect(refused[0]?.code).toBe("token_expired");
    expect(c.state).toBe("stopped");
    server.onConnect = (_, socket) => server.welcome(socket);
    c.authenticate("new");
    expect((await kept).text).toBe("re: kept");
    expect(server.of("connect")[1]?.token).toBe("new");
  });

  it("hands a fresh token to the open connection", async () => {
    const c = client();
    c.start();
    await connected(c);
    c.authenticate("new");
    await until("auth", () => server.of("auth").length === 1);
    expect(server.of("auth")[0]).toEqual({ type: "auth", token: "new" });
    expect(server.of("connect")).toHaveLength(1);
  });

  it("replaces a connection that went silent", async () => {
    const c = client({ pingEvery: 40 });
    server.handle = () => {};
    c.start();
    await until("second connect", () => server.of("connect").length === 2);
    expect(server.of("ping").length).toBeGreaterThan(0);
  });
});

describe("events", () => {
  it("come once and in order, and a gap is resumed", async () => {
    const c = client({ since: 0 });
    const seen: number[] = [];
    c.on("event", (frame) => seen.push(frame.seq));
    c.start();
    await connected(c);
    server.event(1);
    server.event(1);
    server.event(2);
    server.event(5);
    await until("resumed", () => server.of("connect").length === 2 && c.state === "connected");
    expect(seen).toEqual([1, 2]);
    expect(server.of("connect")[1]?.since).toBe(2);
    server.event(3);
    await until("third", () => seen.length === 3);
    expect(c.seq).toBe(3);
  });
});

describe("commands", () => {
  it("said offline are sent in order once there is a connection", async () => {
    const c = client();
    const all = [c.say("one"), c.say("two"), c.act("complete", "task-1", { minutes: 5 })];
    expect(c.queue.map((q) => q.text ?? q.action)).toEqual(["one", "two", "complete"]);
    c.start();
    const replies = await Promise.all(all);
    expect(replies.map((r) => r.text)).toEqual(["re: one", "re: two", "re: undefined"]);
    expect(server.received.slice(1).map((f) => f.text ?? f.action)).toEqual([
      "one",
      "two",
      "complete",
    ]);
    expect(server.of("action")[0]).toMatchObject({ task: "task-1", args: { minutes: 5 } });
    expect(c.queue).toEqual([]);
  });

  it("are repeated with the same id and content after a lost connection", async () => {
    const c = client();
    server.handle = (_, socket) => socket.terminate();
    c.start();
    const reply = c.say("hello");
    await until("first try", () => server.of("message").length >= 1);
    server.handle = (frame, socket) => {
      server.answer(frame, socket);
      server.answer(frame, socket);
    };
    expect((await reply).to).toBe(server.of("message")[0]?.id);
    expect(server.of("message")[1]).toEqual(server.of("message")[0]);
  });

  it("fail by an error that names them, and are tried again when it says not now", async () => {
    const c = client();
    let busy = true;
    server.handle = (frame, socket) => {
      if (frame.text === "bad")
        send(socket, { type: "error", to: frame.id, code: "invalid", message: "no" });
      else if (busy)
        send(socket, {
          type: "error",
          to: frame.id,
          code: "unavailable",
          message: "",
          retry_after: 0.02,
        });
      else server.answer(frame, socket);
      busy = false;
    };
    c.start();
    const good = c.say("good");
    await expect(c.say("bad")).rejects.toThrowError(CommandError);
    expect((await good).text).toBe("re: good");
    expect(server.of("message").map((f) => f.text)).toEqual(["good", "bad", "good"]);
    expect(c.queue).toEqual([]);
  });

  it("left by an earlier run are sent first; old ones only when asked for", async () => {
    const outbox = new MemoryOutbox();
    await outbox.put(command("old-1", 2 * 3_600_000));
    await outbox.put(command("old-2", 2 * 3_600_000));
    await outbox.put(command("young", 1000));
    const c = client({ outbox });
    const stale: string[][] = [];
    const replies: string[] = [];
    c.on("stale", (commands) => stale.push(commands.map((x) => x.id)));
    c.on("reply", ({ command: { id } }) => replies.push(id));
    const now = c.say("now", { id: "now" });
    c.start();
    await now;
    expect(stale).toEqual([["old-1", "old-2"]]);
    expect(replies).toEqual(["young", "now"]);
    c.discard(["old-2"]);
    c.release();
    await until("released", () => replies.length === 3);
    expect(replies[2]).toBe("old-1");
    await until("outbox empty", () => c.queue.length === 0);
    expect(await outbox.load()).toEqual([]);
  });

  it("ask for history only while connected", async () => {
    const c = client();
    await expect(c.history(10)).rejects.toThrow("not connected");
    c.start();
    await connected(c);
    expect((await c.history(10, 5)).lines).toEqual([]);
    expect(server.of("history")[0]).toMatchObject({ limit: 10, before: 5 });
  });
});

describe("frames from outside", () => {
  it("that make no sense are passed over", async () => {
    const c = client({ since: 0 });
    const seen: number[] = [];
    c.on("event", (frame) => seen.push(frame.seq));
    c.start();
    await connected(c);
    for (const socket of server.sockets) {
      socket.send("{");
      socket.send("null");
      socket.send('{"type":"reply","to":"nobody"}');
      socket.send('{"type":"surprise"}');
    }
    server.event(1);
    await until("event", () => seen.length === 1);
    expect(server.of("connect")).toHaveLength(1);
  });
});

describe("waiting", () => {
  it("grows, has a limit, and keeps away from a server that asks for it", () => {
    const wait = (code: number, attempt: number, random: number) => {
      const verdict = afterClose(code, attempt, () => random);
      return verdict.retry ? verdict.wait : verdict.why;
    };
    expect([0, 1, 2, 20].map((n) => wait(1006, n, 1))).toEqual([500, 1000, 2000, 30_000]);
    expect(wait(1006, 5, 0)).toBe(0);
    expect(wait(1012, 0, 0)).toBe(750);
    expect(wait(1013, 0, 1)).toBe(5000);
    expect(wait(4429, 0, 0)).toBe(7500);
    expect(wait(4401, 0, 0)).toBe("token");
    expect(wait(4403, 0, 0)).toBe("forbidden");
  });
});

it("the README's example runs", async () => {
  server.handle = (frame, socket) => {
    server.answer(frame, socket);
    server.event(1, "reminder.triggered");
  };
  const { stdout, status } = await run("client/example.ts", {
    TODO_WS_URL: server.url,
    TODO_TOKEN: "t",
  });
  expect(status).toBe(0);
  expect(stdout).toContain("re: remind me to stretch in 5 seconds");
}, 20_000);

async function run(file: string, env: Record<string, string>) {
  const { build } = await import("esbuild");
  const out = `node_modules/.cache/${file.replaceAll("/", "_")}.mjs`;
  await build({
    entryPoints: [file],
    outfile: out,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
  });
  const child = spawn(process.execPath, [out], { env: { ...process.env, ...env } });
  let stdout = "";
  child.stdout.on("data", (data) => {
    stdout += data;
  });
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { stdout, status };
}
