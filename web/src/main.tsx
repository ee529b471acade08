// SPDX-License-Identifier: Apache-2.0
/** Starts the page: the last state is on the screen before the network is asked for anything. */
import { render } from "preact";
import { t } from "./i18n/index.ts";
import { followPrefs } from "./prefs.ts";
import { followAddress } from "./route.ts";
import { Db } from "./store/db.ts";
import { takeAnswer } from "./store/oidc.ts";
import {
  adopt,
  comeBack,
  type Session,
  session,
  signIn,
  takeCodeFromAddress,
} from "./store/session.ts";
import { followWindow, open } from "./store/sync.ts";
import { now } from "./time.ts";
import { say } from "./toasts.ts";
import { App, onKey } from "./views/app.tsx";
import { startWorker } from "./worker.ts";

const TICK_MS = 30_000;

async function start(): Promise<void> {
  const code = takeCodeFromAddress();
  const answer = takeAnswer();
  followPrefs();
  followAddress();
  followWindow();
  addEventListener("keydown", onKey);
  setInterval(() => {
    now.value = Date.now();
  }, TICK_MS);

  const db = await Db.open().catch(() => undefined);
  const enter = async (given: string) => {
    const before = session.value;
    const good = await signIn(given, db);
    if (good && before) location.reload();
    else if (good) await open(good, db);
    else if (before) say(t("signin_used"));
  };
  // A link opened where the page is already: the browser only changes the fragment.
  addEventListener("hashchange", () => {
    const fresh = takeCodeFromAddress();
    if (fresh) void enter(fresh);
  });
  if (code) {
    await enter(code);
  } else if (answer) {
    const good = await comeBack(answer, db);
    if (good) await open(good, db);
  } else {
    const kept = await db?.get<Session>("session").catch(() => undefined);
    if (kept && (kept.renewal || !kept.expires || kept.expires > Date.now())) {
      adopt(kept);
      await open(kept, db);
    }
  }
  render(<App onCode={(given) => void enter(given)} />, document.getElementById("app")!);
  startWorker();
}

void start();
