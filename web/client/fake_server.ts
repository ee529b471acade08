// SPDX-License-Identifier: Apache-2.0
/**
 * A WebSocket server for tests that speaks just enough of the protocol and does what a test tells it:
 * lose connections, answer late, send twice.
 */
import type { AddressInfo } from "node:net";
import { type WebSocket as Socket, WebSocketServer } from "ws";

export interface Frame {
  type: string;
  id?: string;
  text?: string;
  since?: number;
  [key: string]: unknown;
}

export class FakeServer {
  readonly received: Frame[] = [];
  readonly sockets = new Set<Socket>();
  seq = 0;
  recovered = true;
  /** What is done with a frame after the connect; answers messages and actions unless replaced. */
  handle: (frame: Frame, socket: Socket) => void = (frame, socket) => this.answer(frame, socket);
  onConnect: (frame: Frame, socket: Socket) => void = (_, socket) => this.welcome(socket);
  #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
      socket.on("message", (data) => {
        const frame = JSON.parse(String(data)) as Frame;
        this.received.push(frame);
        if (frame.type === "connect") this.onConnect(frame, socket);
        else this.handle(frame, socket);
      });
    });
  }

  static async start(port = 0): Promise<FakeServer> {
    const server = new WebSocketServer({ host: "127.0.0.1", port });
    await new Promise((resolve) => server.once("listening", resolve));
    return new FakeServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  welcome(socket: Socket): void {
    send(socket, {
      type: "connected",
      user: "ann",
      session: "s",
      seq: this.seq,
      server_time: new Date().toISOString(),
      limits: {},
      recovered: this.recovered,
    });
  }

  answer(frame: Frame, socket: Socket): void {
    if (frame.type === "message" || frame.type === "action")
      send(socket, { type: "reply", to: frame.id, intent: "test", text: `re: ${frame.text}` });
    if (frame.type === "ping") send(socket, { type: "pong" });
    if (frame.type === "history")
      send(socket, { type: "history", to: frame.id, lines: [], more: false });
    if (frame.type === "auth") send(socket, { type: "authed", expires: "2030-01-01T00:00:00Z" });
  }

  event(seq: number, type = "task.created"): void {
    for (const socket of this.sockets)
      send(socket, { type: "event", seq, event: { id: `e${seq}`, type } });
  }

  of(type: string): Frame[] {
    return this.received.filter((frame) => frame.type === type);
  }

  drop(code: number): void {
    for (const socket of this.sockets) socket.close(code);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function send(socket: Socket, frame: object): void {
  socket.send(JSON.stringify(frame));
}

export async function until(what: string, probe: () => boolean, timeout = 3000): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!probe()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
