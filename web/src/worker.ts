// SPDX-License-Identifier: Apache-2.0
/** The page's side of the service worker: registration, clean updates, buttons of notifications. */
import { signal } from "@preact/signals";
import type { ActionName } from "../client/index.ts";
import { act } from "./store/sync.ts";

const SNOOZE_MINUTES = 10;

export const updateReady = signal(false);
let waiting: ServiceWorker | null = null;

function offer(worker: ServiceWorker | null): void {
  // The very first one needs no reload: this page is as new as it is.
  if (!worker || !navigator.serviceWorker.controller) return;
  waiting = worker;
  updateReady.value = true;
}

function watch(registration: ServiceWorkerRegistration): void {
  offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => {
      if (worker.state === "installed") offer(worker);
    });
  });
}

export function applyUpdate(): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
  waiting?.postMessage("activate");
}

interface Click {
  action: string;
  task?: string;
  click: string;
}

export function startWorker(): void {
  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register("/sw.js").then(watch, () => {});
  navigator.serviceWorker.addEventListener("message", (event: MessageEvent<Click>) => {
    const { action, task, click } = event.data;
    if (action && task)
      void act(
        action as ActionName,
        task,
        action === "snooze" ? { minutes: SNOOZE_MINUTES } : undefined,
      );
    else location.hash = new URL(click, location.href).hash;
  });
}
