// SPDX-License-Identifier: Apache-2.0
/**
 * The conversation. Only a window of it is in the document: it grows upwards as one scrolls, first from
 * memory, then from the server, and shrinks again at the foot.
 */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { type Entry, entries } from "../store/log.ts";
import { line, loadingHistory, moreHistory, olderHistory } from "../store/sync.ts";
import { dayName, dayOf } from "../time.ts";
import { Composer, compose } from "./composer.tsx";
import { Reminder, Turn } from "./entry.tsx";
import { Icon } from "./icons.tsx";
import { away, FIRST, shown, toLatest } from "./scroll.ts";

const STEP = 60;
const NEAR_PX = 120;

const examples = ["example_1", "example_2", "example_3", "example_4"] as const;

function Welcome() {
  return (
    <div class="welcome">
      <span class="welcome-mark">
        <Icon name="logo" size={40} />
      </span>
      <h2>{t("welcome")}</h2>
      <p>{t("welcome_text")}</p>
      <p class="eyebrow" id="try">
        {t("welcome_try")}
      </p>
      <ul aria-labelledby="try">
        {examples.map((key) => (
          <li key={key}>
            <button type="button" onClick={() => compose(t(key))}>
              {t(key)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function DayLine({ day }: { day: string }) {
  return (
    <div class="day">
      <span>{dayName(day, true)}</span>
    </div>
  );
}

function lastTurn(list: readonly Entry[]): string | undefined {
  for (let i = list.length - 1; i >= 0; i--) if (list[i]!.kind === "turn") return list[i]!.key;
  return undefined;
}

function Entries({ list }: { list: readonly Entry[] }) {
  const latest = lastTurn(list);
  let day = "";
  return list.map((entry) => {
    const own = dayOf(entry.at);
    const fresh = own !== day;
    day = own;
    return (
      <div class="entry" key={entry.key}>
        {fresh && <DayLine day={own} />}
        {entry.kind === "turn" ? (
          <Turn entry={entry} latest={entry.key === latest} />
        ) : (
          <Reminder entry={entry} />
        )}
      </div>
    );
  });
}

function Log() {
  const ref = useRef<HTMLDivElement>(null);
  const kept = useRef({ height: 0, first: "" });
  const all = entries.value;
  const list = all.slice(-shown.value);
  const first = list[0]?.key ?? "";

  useLayoutEffect(() => {
    const log = ref.current;
    if (!log) return;
    if (!away.value) log.scrollTop = log.scrollHeight;
    else if (first !== kept.current.first) log.scrollTop += log.scrollHeight - kept.current.height;
    kept.current = { height: log.scrollHeight, first };
  });

  useEffect(() => {
    const log = ref.current;
    if (!log) return;
    const watcher = new ResizeObserver(() => {
      if (!away.value) log.scrollTop = log.scrollHeight;
    });
    watcher.observe(log);
    return () => watcher.disconnect();
  }, []);

  const scroll = () => {
    const log = ref.current!;
    away.value = log.scrollHeight - log.scrollTop - log.clientHeight > NEAR_PX;
    if (!away.value && shown.value > FIRST * 2) shown.value = FIRST;
    if (log.scrollTop > NEAR_PX * 2 || !away.value) return;
    if (shown.value < all.length) shown.value += STEP;
    else
      void olderHistory().then(() => {
        shown.value += STEP;
      });
  };

  const reading = (line.value === "connecting" && !all.length) || loadingHistory.value;
  const complete = !moreHistory.value && shown.value >= all.length;
  return (
    <div
      class="log"
      role="log"
      aria-label={t("log_label")}
      ref={ref}
      onScroll={scroll}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
      tabIndex={0}
    >
      <div class="log-inner">
        {!all.length && !reading && <Welcome />}
        {all.length > 0 && complete && <p class="beginning">{t("beginning")}</p>}
        <Entries list={list} />
      </div>
    </div>
  );
}

export function Chat() {
  return (
    <section class="chat" aria-label={t("chat")}>
      <Log />
      <div class="chat-foot">
        {away.value && (
          <button type="button" class="latest" aria-label={t("latest")} onClick={toLatest}>
            <Icon name="down" />
          </button>
        )}
        <Composer />
      </div>
    </section>
  );
}
