// SPDX-License-Identifier: Apache-2.0
/** Ctrl+K: every command and every task by a few letters. What matches nothing is sent as a message. */
import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { language, toggleTheme } from "../prefs.ts";
import { go } from "../route.ts";
import { say, signOut } from "../store/sync.ts";
import { findTasks } from "../store/tasks.ts";
import { dueText } from "../time.ts";
import { compose, focusComposer } from "./composer.tsx";
import { Dialog } from "./dialog.tsx";
import { Icon, type IconName } from "./icons.tsx";

interface Item {
  icon: IconName;
  text: string;
  note?: string;
  run: () => void;
}

const TASKS_SHOWN = 8;

export const paletteOpen = signal(false);
const query = signal("");
const chosen = signal(0);

export function openPalette(): void {
  query.value = "";
  chosen.value = 0;
  paletteOpen.value = true;
}

function commands(): Item[] {
  return [
    { icon: "chat", text: t("cmd_focus"), run: focusComposer },
    { icon: "list", text: t("tasks"), run: () => go("tasks") },
    { icon: "week", text: t("week"), run: () => go("week") },
    { icon: "gear", text: t("settings"), run: () => go("settings") },
    { icon: "chat", text: t("cmd_help"), run: () => compose("/") },
    { icon: "gear", text: t("cmd_theme"), run: toggleTheme },
    {
      icon: "gear",
      text: t("cmd_language"),
      run: () => {
        language.value = language.value === "de" ? "en" : "de";
      },
    },
    { icon: "close", text: t("cmd_signout"), run: () => void signOut() },
  ];
}

function found(text: string): Item[] {
  const wanted = text.trim().toLowerCase();
  const matching = commands().filter((item) => item.text.toLowerCase().includes(wanted));
  if (!wanted) return matching;
  const tasks = findTasks(wanted, TASKS_SHOWN).map(
    (task): Item => ({
      icon: "check",
      text: task.title,
      note: dueText(task),
      run: () => go("tasks", task.id),
    }),
  );
  return [...matching, ...tasks];
}

function Palette() {
  const list = useRef<HTMLUListElement>(null);
  const items = found(query.value);
  const at = Math.min(chosen.value, items.length - 1);
  const close = () => {
    paletteOpen.value = false;
  };
  const run = (item: Item | undefined) => {
    const text = query.value.trim();
    close();
    if (item) item.run();
    else if (text) {
      go("chat");
      say(text);
    }
  };
  const move = (to: number) => {
    chosen.value = (to + items.length) % Math.max(1, items.length);
    list.current?.children[chosen.value]?.scrollIntoView({ block: "nearest" });
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") move(at + 1);
    else if (event.key === "ArrowUp") move(at - 1);
    else if (event.key === "Enter") run(items[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={t("palette")} class="palette" bare onClose={close}>
      <label class="palette-input">
        <Icon name="search" />
        <input
          autofocus
          value={query.value}
          placeholder={t("palette_hint")}
          aria-label={t("palette_hint")}
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={items.length ? `palette-${at}` : undefined}
          onInput={(event) => {
            query.value = event.currentTarget.value;
            chosen.value = 0;
          }}
          onKeyDown={key}
        />
      </label>
      {items.length ? (
        <ul id="palette-list" role="listbox" aria-label={t("palette")} ref={list}>
          {items.map((item, i) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the keys
            // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the input
            <li
              key={`${i} ${item.text}`}
              id={`palette-${i}`}
              role="option"
              aria-selected={i === at}
              onClick={() => run(item)}
              onMouseMove={() => {
                chosen.value = i;
              }}
            >
              <Icon name={item.icon} />
              <span dir="auto">{item.text}</span>
              {item.note && <small>{item.note}</small>}
            </li>
          ))}
        </ul>
      ) : (
        <p class="muted palette-none">{t("palette_none")}</p>
      )}
    </Dialog>
  );
}

export function PaletteHost() {
  return paletteOpen.value ? <Palette /> : null;
}
