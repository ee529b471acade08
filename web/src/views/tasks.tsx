// SPDX-License-Identifier: Apache-2.0
/** The task panel: what is due when, searchable, with what is done at its foot. Lives from the events. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Task } from "../../client/index.ts";
import { plural, t } from "../i18n/index.ts";
import { act } from "../store/sync.ts";
import { filter, finished, type Group, groups, labels, openCount, search } from "../store/tasks.ts";
import { Icon } from "./icons.tsx";
import { TaskRow } from "./task_row.tsx";

const PAGE = 60;

const limit = signal(PAGE);
const doneOpen = signal(false);
const doneLimit = signal(PAGE);
const selection = signal<ReadonlySet<string>>(new Set());

function toggle(id: string): void {
  const next = new Set(selection.value);
  if (!next.delete(id)) next.add(id);
  selection.value = next;
}

function forAll(action: "complete" | "delete"): void {
  for (const id of selection.value) void act(action, id);
  selection.value = new Set();
}

function Row({ task, underDay }: { task: Task; underDay?: boolean }) {
  return (
    <TaskRow
      task={task}
      underDay={underDay}
      selected={selection.value.has(task.id)}
      onSelect={() => toggle(task.id)}
    />
  );
}

function GroupList({ group }: { group: Group }) {
  const id = `group-${group.name}`;
  return (
    <section aria-labelledby={id}>
      <h3 class={`group ${group.name}`} id={id}>
        {t(group.name)}
        <span>{group.tasks.length}</span>
      </h3>
      <ul class="tasks">
        {group.tasks.map((task) => (
          <Row key={task.id} task={task} underDay={["today", "tomorrow"].includes(group.name)} />
        ))}
      </ul>
    </section>
  );
}

/** Shows more as it comes into sight, or when it is pressed. */
function More({ onMore }: { onMore: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const watcher = new IntersectionObserver((seen) => {
      if (seen.some((entry) => entry.isIntersecting)) onMore();
    });
    watcher.observe(button.current!);
    return () => watcher.disconnect();
  });
  return (
    <button type="button" class="pill more" onClick={onMore} ref={button}>
      {t("more")}
    </button>
  );
}

/** The first tasks of the groups, as many as are to be shown. */
function cut(all: Group[], most: number): Group[] {
  const shown: Group[] = [];
  let left = most;
  for (const group of all) {
    if (left <= 0) break;
    shown.push({ name: group.name, tasks: group.tasks.slice(0, left) });
    left -= group.tasks.length;
  }
  return shown;
}

function Done() {
  const list = finished.value;
  if (!list.length) return null;
  return (
    <section aria-labelledby="group-done">
      <h3 class="group" id="group-done">
        <button
          type="button"
          aria-expanded={doneOpen.value}
          onClick={() => {
            doneOpen.value = !doneOpen.value;
          }}
        >
          <Icon name={doneOpen.value ? "down" : "right"} size={16} />
          {t("done_list")}
        </button>
        <span>{list.length}</span>
      </h3>
      {doneOpen.value && (
        <ul class="tasks">
          {list.slice(0, doneLimit.value).map((task) => (
            <TaskRow key={task.id} task={task} />
          ))}
        </ul>
      )}
      {doneOpen.value && list.length > doneLimit.value && (
        <More
          onMore={() => {
            doneLimit.value += PAGE;
          }}
        />
      )}
    </section>
  );
}

function Tools() {
  return (
    <div class="tools">
      <label class="search">
        <Icon name="search" size={16} />
        <input
          type="search"
          value={search.value}
          placeholder={t("search")}
          aria-label={t("search")}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
        />
      </label>
      {labels.value.length > 0 && (
        <select
          aria-label={t("filter_label")}
          value={filter.value}
          onChange={(event) => {
            filter.value = event.currentTarget.value;
          }}
        >
          <option value="">{t("filter_all")}</option>
          {labels.value.map((label) => (
            <option value={label} key={label}>
              {label.replace(/^@/, "")}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}

function Bulk() {
  const n = selection.value.size;
  if (!n) return null;
  return (
    <div class="bulk" role="group" aria-label={plural("selected", n)}>
      <span>{plural("selected", n)}</span>
      <button type="button" class="pill strong" onClick={() => forAll("complete")}>
        {t("bulk_done")}
      </button>
      <button type="button" class="pill" onClick={() => forAll("delete")}>
        {t("bulk_delete")}
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label={t("cancel")}
        onClick={() => {
          selection.value = new Set();
        }}
      >
        <Icon name="close" size={16} />
      </button>
    </div>
  );
}

function Empty() {
  const text = search.value.trim();
  if (text || filter.value)
    return <p class="empty-line">{t("search_empty", { text: text || filter.value })}</p>;
  return (
    <div class="empty">
      <span class="empty-mark">
        <Icon name="check" size={28} />
      </span>
      <h3>{t("tasks_empty")}</h3>
      <p>{t("tasks_empty_text")}</p>
    </div>
  );
}

export function Tasks() {
  const all = groups.value;
  const total = all.reduce((sum, group) => sum + group.tasks.length, 0);
  return (
    <aside class="panel" aria-label={t("tasks")}>
      <header class="panel-head">
        <h2>{t("tasks")}</h2>
        {openCount.value > 0 && <span class="muted">{plural("open", openCount.value)}</span>}
      </header>
      <Tools />
      <div class="panel-body">
        {!total && <Empty />}
        {cut(all, limit.value).map((group) => (
          <GroupList key={group.name} group={group} />
        ))}
        {total > limit.value && (
          <More
            onMore={() => {
              limit.value += PAGE;
            }}
          />
        )}
        <Done />
      </div>
      <Bulk />
    </aside>
  );
}
