// SPDX-License-Identifier: Apache-2.0
/** Where in the page one is: the address's fragment, so that back and forward work and links open a task. */
import { signal } from "@preact/signals";

export type View = "chat" | "tasks" | "week" | "settings";

export interface Route {
  view: View;
  task?: string;
}

function read(): Route {
  const [, view = "", id] = location.hash.split("/");
  if (view === "tasks" && id) return { view: "tasks", task: decodeURIComponent(id) };
  return { view: view === "tasks" || view === "week" || view === "settings" ? view : "chat" };
}

export const route = signal<Route>(read());

export function go(view: View, task?: string): void {
  const path = view === "chat" ? "" : task ? `${view}/${encodeURIComponent(task)}` : view;
  location.hash = `#/${path}`;
}

export function followAddress(): void {
  addEventListener("hashchange", () => {
    route.value = read();
  });
}
