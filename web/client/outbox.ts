// SPDX-License-Identifier: Apache-2.0
/**
 * Where commands wait for their answer. The client keeps the order; an outbox only has to remember
 * across restarts. In a browser that is IndexedDB (the page brings its own), in Node a file or nothing.
 */
import type { Command } from "./protocol.ts";

export interface Outbox {
  /** All that is kept, oldest first. */
  load(): Promise<Command[]>;
  put(command: Command): Promise<void>;
  remove(id: string): Promise<void>;
}

export class MemoryOutbox implements Outbox {
  #commands = new Map<string, Command>();

  async load(): Promise<Command[]> {
    return [...this.#commands.values()];
  }

  async put(command: Command): Promise<void> {
    this.#commands.set(command.id, command);
  }

  async remove(id: string): Promise<void> {
    this.#commands.delete(id);
  }
}
