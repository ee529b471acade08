// SPDX-License-Identifier: Apache-2.0
/** A task in a list: the circle completes it, the rest opens it, + and − move it by a day. */
import type { Task } from "../../client/index.ts";
import { shiftByKey } from "../edit.ts";
import { t } from "../i18n/index.ts";
import { go } from "../route.ts";
import { act } from "../store/sync.ts";
import { getTask } from "../store/tasks.ts";
import { clock, dueText, hasTime, isOverdue, whenText } from "../time.ts";
import { Icon } from "./icons.tsx";

function Meta({ task, underDay }: { task: Task; underDay?: boolean }) {
  const timed = hasTime(task) && task.due_at;
  const due = underDay ? (timed ? clock(task.due_at!) : "") : dueText(task);
  const reminder =
    task.reminder_time && task.reminder_time !== task.due_at ? whenText(task.reminder_time) : "";
  const labels = [
    ...(task.tags ?? []).map((tag) => `#${tag}`),
    ...(task.project ? [task.project] : []),
  ];
  if (!due && !task.is_recurring && !reminder && !labels.length) return null;
  return (
    <span class="task-meta">
      {due && <span class={isOverdue(task) ? "late" : ""}>{due}</span>}
      {task.is_recurring && (
        <span role="img" aria-label={t("repeats")} title={t("repeats")}>
          <Icon name="repeat" size={14} />
        </span>
      )}
      {reminder && (
        <span class="with-icon" title={t("reminder_at", { when: reminder })}>
          <Icon name="bell" size={14} />
          {reminder}
        </span>
      )}
      {labels.map((label) => (
        <span class="label" key={label}>
          {label}
        </span>
      ))}
    </span>
  );
}

interface Props {
  task: Task;
  number?: number;
  /** The day stands above it already. */
  underDay?: boolean;
  selected?: boolean;
  onSelect?: () => void;
}

export function TaskRow({ task: given, number, underDay, selected, onSelect }: Props) {
  const task = getTask(given.id) ?? given;
  const done = task.status === "done";
  const gone = task.status === "deleted";
  const { title } = task;
  const key = (event: KeyboardEvent) => {
    const row = (event.currentTarget as HTMLElement).closest("li");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const other =
        event.key === "ArrowDown" ? row?.nextElementSibling : row?.previousElementSibling;
      event.preventDefault();
      other?.querySelector<HTMLElement>(".task-open")?.focus();
    } else if (event.key === "x" && onSelect) {
      onSelect();
    } else if (!done) {
      shiftByKey(event, task);
    }
  };
  const classes = ["task", done && "done", gone && "gone", selected && "selected"];
  return (
    <li
      class={classes.filter(Boolean).join(" ")}
      draggable={!done && !gone}
      onDragStart={(event) => event.dataTransfer?.setData("text/task", task.id)}
    >
      {number !== undefined && (
        <span class="task-number" aria-hidden="true">
          {number}
        </span>
      )}
      <button
        type="button"
        class={`circle p${task.priority ?? 0}`}
        aria-label={t(done ? "reopen" : "complete", { title })}
        disabled={gone}
        onClick={() => void act(done ? "reopen" : "complete", task.id)}
      >
        <Icon name="check" size={14} />
      </button>
      <button type="button" class="task-open" onClick={() => go("tasks", task.id)} onKeyDown={key}>
        <span class="task-title" dir="auto">
          {title}
        </span>
        <Meta task={task} underDay={underDay} />
      </button>
      {onSelect && (
        <input
          type="checkbox"
          class="pick"
          checked={selected}
          aria-label={`${t("select")}: ${title}`}
          onChange={onSelect}
        />
      )}
    </li>
  );
}
