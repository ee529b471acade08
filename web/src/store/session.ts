// SPDX-License-Identifier: Apache-2.0
/**
 * Who is signed in here. The token lives in memory and in IndexedDB, where an installed app finds it
 * when it starts offline; never in a URL, a cookie or a log. Signing out in one tab signs out all.
 */
import { signal } from "@preact/signals";
import { ApiError, exchangeCode, setToken } from "../api.ts";
import type { Db } from "./db.ts";

export interface Session {
  token: string;
  user: string;
  expires?: number;
}

export type SignInProblem = "used" | "unreachable" | "expired";

export const session = signal<Session | undefined>(undefined);
export const problem = signal<SignInProblem | undefined>(undefined);
export const signingIn = signal(false);

export function adopt(value: Session): void {
  setToken(value.token);
  session.value = value;
  problem.value = undefined;
}

/** The code of a pasted link, or of this page's address; the address forgets it at once. */
export function codeIn(text: string): string | undefined {
  const match = /[#?&]code=([^&#\s]+)/.exec(text);
  if (match) return decodeURIComponent(match[1]!);
  const bare = text.trim();
  return /^[\w~.-]{4,2048}$/.test(bare) ? bare : undefined;
}

export function takeCodeFromAddress(): string | undefined {
  if (!location.hash.includes("code=")) return undefined;
  const code = codeIn(location.hash);
  history.replaceState(null, "", `${location.pathname}#/`);
  return code;
}

export async function signIn(code: string, db: Db | undefined): Promise<Session | undefined> {
  signingIn.value = true;
  try {
    const { token, user, expires_in } = await exchangeCode(code);
    const fresh = { token, user, expires: expires_in ? Date.now() + expires_in * 1000 : undefined };
    await db?.set("session", fresh);
    adopt(fresh);
    return fresh;
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 0;
    problem.value = status >= 400 && status < 500 ? "used" : "unreachable";
    return undefined;
  } finally {
    signingIn.value = false;
  }
}

export async function expire(db: Db | undefined): Promise<void> {
  await db?.set("session", undefined);
  problem.value = "expired";
  session.value = undefined;
  setToken("");
}
