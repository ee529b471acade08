// SPDX-License-Identifier: Apache-2.0
/** Short notes at the foot of the page; the one about a change offers to take it back. */
import { signal } from "@preact/signals";

export interface Toast {
  n: number;
  text: string;
  undo: boolean;
}

const SHOWN_MS = 7000;

export const toast = signal<Toast | undefined>(undefined);
let n = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

function show(text: string, undo: boolean): void {
  clearTimeout(timer);
  toast.value = { n: ++n, text, undo };
  timer = setTimeout(hideToast, SHOWN_MS);
}

export const say = (text: string) => show(text, false);
export const offerUndo = (text: string) => show(text.split("\n")[0]!, true);

export function hideToast(): void {
  clearTimeout(timer);
  toast.value = undefined;
}
