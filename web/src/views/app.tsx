// SPDX-License-Identifier: Apache-2.0
/** The frame: bar, views, notices. Wide screens show chat and tasks side by side, narrow ones one of them. */
import { t } from "../i18n/index.ts";
import { go, route, type View } from "../route.ts";
import { session } from "../store/session.ts";
import { line } from "../store/sync.ts";
import { urgentCount } from "../store/tasks.ts";
import { Chat } from "./chat.tsx";
import { focusComposer } from "./composer.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { Notices, Toast } from "./notices.tsx";
import { openPalette, PaletteHost } from "./palette.tsx";
import { Settings } from "./settings.tsx";
import { SignIn } from "./sign_in.tsx";
import { TaskDialog } from "./task_dialog.tsx";
import { Tasks } from "./tasks.tsx";
import { Week } from "./week.tsx";

const views: readonly (readonly [View, IconName])[] = [
  ["chat", "chat"],
  ["tasks", "list"],
  ["week", "week"],
  ["settings", "gear"],
];

function Nav() {
  const { view } = route.value;
  return (
    <nav aria-label={t("app")}>
      {views.map(([name, icon]) => (
        <button
          type="button"
          key={name}
          class={`nav nav-${name}`}
          aria-current={view === name ? "page" : undefined}
          onClick={() => go(name)}
        >
          <Icon name={icon} />
          <span>{t(name)}</span>
          {name === "tasks" && urgentCount.value > 0 && <b class="badge">{urgentCount.value}</b>}
        </button>
      ))}
    </nav>
  );
}

function Bar() {
  const online = line.value === "connected";
  return (
    <header class="bar">
      <h1>
        <span class="mark">
          <Icon name="logo" size={22} />
        </span>
        {t("app")}
        <span class={`dot ${online ? "on" : ""}`} />
      </h1>
      <Nav />
      <button type="button" class="palette-button" onClick={openPalette}>
        <Icon name="search" size={16} />
        <span>{t("palette")}</span>
        <kbd>Ctrl K</kbd>
      </button>
    </header>
  );
}

export function onKey(event: KeyboardEvent): void {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
  } else if (event.altKey && event.code === "KeyM") {
    event.preventDefault();
    focusComposer();
  }
}

function Signed() {
  const { view, task } = route.value;
  const side = view === "chat" || view === "tasks";
  return (
    <div class={`app view-${view}`}>
      <button type="button" class="skip" onClick={focusComposer}>
        {t("skip")}
      </button>
      <Bar />
      <Notices />
      <main class={side ? "split" : "single"}>
        {side && <Chat />}
        {side && <Tasks />}
        {view === "week" && <Week />}
        {view === "settings" && <Settings />}
      </main>
      <Toast />
      {task && <TaskDialog id={task} key={task} />}
      <PaletteHost />
    </div>
  );
}

export function App({ onCode }: { onCode: (code: string) => void }) {
  return session.value ? <Signed /> : <SignIn onCode={onCode} />;
}
