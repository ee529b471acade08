// SPDX-License-Identifier: Apache-2.0
/** A network between browser and gateway that can be cut: TCP passed through, or refused and reset. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Wire {
  #up = true;
  /** Answers are swallowed from here on: the server does, the browser does not hear of it. */
  deaf = false;
  #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: string,
  ) {}

  static async start(target: string): Promise<Wire> {
    const { host, hostname, port } = new globalThis.URL(target);
    const server = createServer();
    const wire = new Wire(server, host);
    server.on("connection", (client) => wire.#pass(client, connect(Number(port), hostname)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return wire;
  }

  #pass(client: Socket, upstream: Socket): void {
    if (!this.#up) {
      client.destroy();
      upstream.destroy();
      return;
    }
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from);
      from.on("data", (data) => {
        if (!(this.deaf && from === upstream))
          to.write(from === client ? this.#readdress(data) : data);
      });
      from.on("error", () => {});
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  /** The gateway only takes its own address as an origin: the handshake is made to name that one. */
  #readdress(data: Buffer): Buffer {
    if (!data.subarray(0, 8).equals(Buffer.from("GET /ws "))) return data;
    const own = this.url.slice("http://".length);
    return Buffer.from(data.toString("latin1").replaceAll(own, this.target), "latin1");
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#up = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#up = true;
    this.deaf = false;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
