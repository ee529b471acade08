// SPDX-License-Identifier: Apache-2.0
/**
 * How long to wait before the next attempt, and when not to try at all. Full jitter: after a restart of
 * the server its clients come back spread out, not all at once.
 */

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/** The server restarts (1012) or sheds load (1013): it is about to come back, so start gently at once. */
const RESTART_MS = 1_500;
const OVERLOADED_MS = 5_000;
const TOO_MANY_MS = 15_000;

export type Verdict = { retry: true; wait: number } | { retry: false; why: "token" | "forbidden" };

export function afterClose(code: number, attempt: number, random: () => number): Verdict {
  if (code === 4401) return { retry: false, why: "token" };
  if (code === 4403) return { retry: false, why: "forbidden" };
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  const least =
    code === 4429 ? TOO_MANY_MS : code === 1013 ? OVERLOADED_MS : code === 1012 ? RESTART_MS : 0;
  const span = Math.max(ceiling, least);
  return { retry: true, wait: Math.round(least / 2 + random() * (span - least / 2)) };
}
