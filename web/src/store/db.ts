// SPDX-License-Identifier: Apache-2.0
/**
 * What survives a reload, in IndexedDB: the session, the outbox, the last state of tasks and
 * conversation, and the event number that state is at. Several tabs share it: a newer version of a task
 * is never overwritten by an older one, and the number only grows, in the same transaction.
 */
import type { Command, Outbox, Task } from "../../client/index.ts";
import type { Entry } from "./log.ts";

const NAME = "todo-chat";
const STORES = { kv: undefined, tasks: "id", log: "key", outbox: "n" } as const;
type Store = keyof typeof STORES;

export interface Snapshot {
  seq: number | undefined;
  tasks: Task[];
  log: Entry[];
}

export interface Changes {
  seq: number;
  tasks: Task[];
  log: Entry[];
}

function done(tx: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onerror = tx.onabort = () => reject(tx.error);
  });
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class Db implements Outbox {
  private constructor(private readonly idb: IDBDatabase) {}

  static async open(): Promise<Db> {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(STORES))
        request.result.createObjectStore(name, keyPath ? { keyPath } : undefined);
    };
    const idb = await result(request);
    idb.onversionchange = () => idb.close();
    return new Db(idb);
  }

  static async destroy(): Promise<void> {
    await new Promise<void>((resolve) => {
      const request = indexedDB.deleteDatabase(NAME);
      request.onsuccess = request.onerror = request.onblocked = () => resolve();
    });
  }

  close(): void {
    this.idb.close();
  }

  #read<T>(store: Store, key: IDBValidKey): Promise<T | undefined> {
    return result(this.idb.transaction(store).objectStore(store).get(key));
  }

  #all<T>(store: Store): Promise<T[]> {
    return result(this.idb.transaction(store).objectStore(store).getAll());
  }

  get<T>(key: string): Promise<T | undefined> {
    return this.#read("kv", key);
  }

  async set(key: string, value: unknown): Promise<void> {
    const tx = this.idb.transaction("kv", "readwrite");
    tx.objectStore("kv").put(value, key);
    await done(tx);
  }

  async snapshot(): Promise<Snapshot> {
    const [seq, tasks, log] = await Promise.all([
      this.get<number>("seq"),
      this.#all<Task>("tasks"),
      this.#all<Entry>("log"),
    ]);
    return { seq, tasks, log };
  }

  async save(changes: Changes): Promise<void> {
    const tx = this.idb.transaction(["kv", "tasks", "log"], "readwrite");
    const tasks = tx.objectStore("tasks");
    for (const task of changes.tasks) {
      tasks.get(task.id).onsuccess = (event) => {
        const old = (event.target as IDBRequest<Task | undefined>).result;
        if (!old || old.version <= task.version) tasks.put(task);
      };
    }
    for (const entry of changes.log) tx.objectStore("log").put(entry);
    const kv = tx.objectStore("kv");
    kv.get("seq").onsuccess = (event) => {
      const old = (event.target as IDBRequest<number | undefined>).result;
      if (old === undefined || old < changes.seq) kv.put(changes.seq, "seq");
    };
    await done(tx);
  }

  /** Replaces tasks and event number: what was kept is too old to go on from. */
  async reset(seq: number, tasks: Task[]): Promise<void> {
    const tx = this.idb.transaction(["kv", "tasks"], "readwrite");
    tx.objectStore("tasks").clear();
    for (const task of tasks) tx.objectStore("tasks").put(task);
    tx.objectStore("kv").put(seq, "seq");
    await done(tx);
  }

  /** Keeps the log from growing for ever. */
  async forget(log: string[], tasks: string[] = []): Promise<void> {
    const tx = this.idb.transaction(["log", "tasks"], "readwrite");
    for (const key of log) tx.objectStore("log").delete(key);
    for (const id of tasks) tx.objectStore("tasks").delete(id);
    await done(tx);
  }

  // The outbox: numbered by time, so that the order survives.

  async load(): Promise<Command[]> {
    const rows = await this.#all<Command & { n: string }>("outbox");
    return rows.map(({ n: _, ...command }) => command);
  }

  async put(command: Command): Promise<void> {
    const tx = this.idb.transaction("outbox", "readwrite");
    tx.objectStore("outbox").put({ ...command, n: `${command.at} ${command.id}` });
    await done(tx);
  }

  async remove(id: string): Promise<void> {
    const tx = this.idb.transaction("outbox", "readwrite");
    const store = tx.objectStore("outbox");
    store.getAllKeys().onsuccess = (event) => {
      for (const key of (event.target as IDBRequest<IDBValidKey[]>).result)
        if (String(key).endsWith(` ${id}`)) store.delete(key);
    };
    await done(tx);
  }
}
