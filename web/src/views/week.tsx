// SPDX-License-Identifier: Apache-2.0
/** Seven days side by side (below each other on a phone). Tasks are dragged to another day, or moved by + and −. */
import { signal } from "@preact/signals";
import { moveTask } from "../edit.ts";
import { t } from "../i18n/index.ts";
import { getTask, tasksOfDay } from "../store/tasks.ts";
import { addDays, dayOf, dayOfMonth, now, weekdayShort, weekOf } from "../time.ts";
import { Icon } from "./icons.tsx";
import { TaskRow } from "./task_row.tsx";

const offset = signal(0);
const over = signal("");

function drop(event: DragEvent, day: string): void {
  event.preventDefault();
  over.value = "";
  const task = getTask(event.dataTransfer?.getData("text/task") ?? "");
  if (task) void moveTask(task, day);
}

function Day({ day, today }: { day: string; today: string }) {
  const tasks = tasksOfDay(day);
  const state = day === today ? "is-today" : day < today ? "is-past" : "";
  return (
    <section
      class={`week-day ${state} ${over.value === day ? "is-over" : ""}`}
      aria-label={`${weekdayShort(day)} ${dayOfMonth(day)}`}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = day;
      }}
      onDragLeave={() => {
        over.value = "";
      }}
      onDrop={(event) => drop(event, day)}
    >
      <h3>
        <span>{weekdayShort(day)}</span> {dayOfMonth(day)}
      </h3>
      {tasks.length ? (
        <ul class="tasks">
          {tasks.map((task) => (
            <TaskRow key={task.id} task={task} underDay />
          ))}
        </ul>
      ) : (
        <p class="free">{t("week_free")}</p>
      )}
    </section>
  );
}

function turn(by: number): void {
  offset.value += by;
}

export function Week() {
  const today = dayOf(now.value);
  const monday = addDays(weekOf(today), offset.value * 7);
  const days = Array.from({ length: 7 }, (_, i) => addDays(monday, i));
  return (
    <section class="week" aria-label={t("week")}>
      <header class="week-head">
        <h2>
          {dayOfMonth(monday)} – {dayOfMonth(days[6]!)}
        </h2>
        <p class="muted">{t("week_hint")}</p>
        <div class="week-turn">
          <button
            type="button"
            class="icon-button"
            aria-label={t("week_prev")}
            onClick={() => turn(-1)}
          >
            <Icon name="left" />
          </button>
          <button
            type="button"
            class="pill"
            disabled={offset.value === 0}
            onClick={() => turn(-offset.value)}
          >
            {t("week_this")}
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label={t("week_next")}
            onClick={() => turn(1)}
          >
            <Icon name="right" />
          </button>
        </div>
      </header>
      <div class="week-days">
        {days.map((day) => (
          <Day key={day} day={day} today={today} />
        ))}
      </div>
    </section>
  );
}
