// SPDX-License-Identifier: Apache-2.0
/** How much of the conversation is in the document, and whether one has scrolled away from its foot. */
import { batch, signal } from "@preact/signals";

export const FIRST = 60;
export const shown = signal(FIRST);
export const away = signal(false);

export function toLatest(): void {
  batch(() => {
    away.value = false;
    shown.value = FIRST;
  });
}
