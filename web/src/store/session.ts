// SPDX-License-Identifier: Apache-2.0
/**
 * Who is signed in here. The token lives in memory and in IndexedDB, where an installed app finds it
 * when it starts offline; never in a URL, a cookie or a log. Signing out in one tab signs out all.
 */
import { signal } from "@preact/signals";
import { ApiError, exchangeCode, setToken } from "../api.ts";
import type { Db } from "./db.ts";
import { finish, type Renewal, renew } from "./oidc.ts";

export interface Session {
  token: string;
  user: string;
  expires?: number;
  /** Of a session that an OpenID provider gave. */
  renewal?: Renewal;
}

export type SignInProblem = "used" | "unreachable" | "expired" | "refused";

/** A token is renewed this long before its end. */
const RENEW_BEFORE_MS = 60_000;

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

async function enter(
  get: () => Promise<Session>,
  refused: SignInProblem,
  db: Db | undefined,
): Promise<Session | undefined> {
  signingIn.value = true;
  try {
    const fresh = await get();
    await db?.set("session", fresh);
    adopt(fresh);
    return fresh;
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 0;
    problem.value = status >= 400 && status < 500 ? refused : "unreachable";
    return undefined;
  } finally {
    signingIn.value = false;
  }
}

async function exchange(code: string): Promise<Session> {
  const { token, user, expires_in } = await exchangeCode(code);
  return { token, user, expires: expires_in ? Date.now() + expires_in * 1000 : undefined };
}

export const signIn = (code: string, db: Db | undefined) => enter(() => exchange(code), "used", db);

/** With what the OpenID provider answered. */
export const comeBack = (answer: URLSearchParams, db: Db | undefined) =>
  enter(() => finish(answer), "refused", db);

export const endsSoon = (value: Session) =>
  value.expires !== undefined && value.expires - RENEW_BEFORE_MS < Date.now();

/** How long the token is good before it should be renewed; undefined: that is not to be. */
export const renewIn = (value: Session | undefined): number | undefined =>
  value?.renewal && value.expires
    ? Math.max(0, value.expires - RENEW_BEFORE_MS - Date.now())
    : undefined;

/**
 * The session with a token that is good for a while. One tab renews for all: the others find its
 * session when their turn comes. Throws ApiError: 0 = the provider can't be reached now.
 */
export async function freshen(db: Db | undefined): Promise<Session | undefined> {
  const renewing = async () => {
    const kept = await db?.get<Session>("session");
    const latest = kept && kept.user === session.value?.user ? kept : session.value;
    if (!latest?.renewal || !endsSoon(latest)) {
      if (latest) adopt(latest);
      return latest;
    }
    const fresh = await renew(latest.renewal);
    await db?.set("session", fresh);
    adopt(fresh);
    return fresh;
  };
  return navigator.locks ? navigator.locks.request("renew", renewing) : renewing();
}

export async function expire(db: Db | undefined): Promise<void> {
  await db?.set("session", undefined);
  problem.value = "expired";
  session.value = undefined;
  setToken("");
}
