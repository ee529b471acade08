// SPDX-License-Identifier: Apache-2.0
/**
 * The service worker: keeps the page's own files for a start without network, and shows notifications
 * with buttons. It knows no token and sees no data: buttons are passed on to an open page. A push
 * message would arrive in a "push" listener here.
 */
declare const self: ServiceWorkerGlobalScope;
/** Both filled in by the build. */
declare const FILES: string[];
declare const VERSION: string;

const CACHE = `page-${VERSION}`;

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES.map((file) => new Request(file, { cache: "reload" })));
}

async function activate(): Promise<void> {
  for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
  await self.clients.claim();
}

async function respond(request: Request): Promise<Response> {
  const key = request.mode === "navigate" ? "/" : request;
  return (await caches.match(key)) ?? fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));

self.addEventListener("message", (event) => {
  if (event.data === "activate") void self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const own = url.origin === self.location.origin && request.method === "GET";
  if (
    !own ||
    !(FILES.includes(url.pathname) || (request.mode === "navigate" && url.pathname === "/"))
  )
    return;
  event.respondWith(respond(request));
});

async function clicked(action: string, data: { task?: string; click: string }): Promise<void> {
  const pages = await self.clients.matchAll({ type: "window" });
  const page = pages[0];
  if (!page) {
    await self.clients.openWindow(data.click);
    return;
  }
  page.postMessage({ action, task: data.task, click: data.click });
  if (!action) await page.focus();
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(clicked(event.action, event.notification.data));
});

export {};
