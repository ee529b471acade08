// SPDX-License-Identifier: Apache-2.0
/**
 * Reminders as the system's notifications, through the service worker so that their buttons work. The
 * same tag replaces; what was taken care of elsewhere is withdrawn.
 */
import { signal } from "@preact/signals";
import type { ReminderData } from "../client/index.ts";
import { t } from "./i18n/index.ts";

export type Permission = NotificationPermission | "none";

const supported = () => "Notification" in globalThis && "serviceWorker" in navigator;

export const permission = signal<Permission>(supported() ? Notification.permission : "none");

export async function askPermission(): Promise<void> {
  if (supported()) permission.value = await Notification.requestPermission();
}

async function registration(): Promise<ServiceWorkerRegistration | undefined> {
  return supported() && Notification.permission === "granted"
    ? navigator.serviceWorker.getRegistration()
    : undefined;
}

export async function notify(data: ReminderData): Promise<void> {
  const worker = await registration();
  await worker?.showNotification(data.title, {
    body: data.body,
    tag: data.tag,
    icon: "/icon-192.png",
    badge: "/icon-192.png",
    requireInteraction: (data.priority ?? 3) >= 5,
    data: { task: data.task_id, click: data.click ?? "/#/" },
    ...(data.task_id && {
      actions: [
        { action: "complete", title: t("done") },
        { action: "snooze", title: t("snooze_10") },
      ],
    }),
  } as NotificationOptions);
}

export async function closeNotification(tag: string): Promise<void> {
  const worker = await registration();
  for (const shown of (await worker?.getNotifications({ tag })) ?? []) shown.close();
}
