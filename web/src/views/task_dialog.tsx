// SPDX-License-Identifier: Apache-2.0
/** A task in full, to be changed. What was changed elsewhere while it is open is never overwritten. */
import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Recurrence, Task } from "../../client/index.ts";
import type { TaskPatch } from "../api.ts";
import { editTask } from "../edit.ts";
import type { Key } from "../i18n/en.ts";
import { t } from "../i18n/index.ts";
import { EDITABLE, type Editable, isEditable, nextDates, WEEKDAYS } from "../recur.ts";
import { go } from "../route.ts";
import { act, say } from "../store/sync.ts";
import { getTask } from "../store/tasks.ts";
import { addDays, dayName, everyText, weekdayShort, weekOf } from "../time.ts";
import { Dialog } from "./dialog.tsx";

const SHOWN_DATES = 5;

interface Form {
  title: string;
  notes: string;
  date: string;
  time: string;
  priority: number;
  project: string;
  tags: string;
  pattern: Recurrence | null;
}

function formOf(task: Task): Form {
  return {
    title: task.title,
    notes: task.notes ?? "",
    date: task.due_date?.slice(0, 10) ?? "",
    time: task.due_date?.slice(11, 16) ?? "",
    priority: task.priority ?? 0,
    project: task.project ?? "",
    tags: (task.tags ?? []).join(", "),
    pattern: task.recurrence_pattern ?? null,
  };
}

const splitTags = (text: string) =>
  text
    .split(",")
    .map((tag) => tag.trim().replace(/^#/, ""))
    .filter(Boolean);

const dueOf = ({ date, time }: Form) => (!date ? null : time ? `${date}T${time}:00` : date);

/** Only what differs: the rest stays as somebody else may just have made it. */
function patchOf(was: Form, is: Form): TaskPatch {
  const patch: TaskPatch = {};
  if (is.title.trim() !== was.title) patch.title = is.title.trim();
  if (is.notes !== was.notes) patch.notes = is.notes;
  if (dueOf(is) !== dueOf(was)) patch.due_date = dueOf(is);
  if (is.priority !== was.priority) patch.priority = is.priority || null;
  if (is.project.trim() !== was.project) patch.project = is.project.trim() || null;
  if (is.tags !== was.tags) patch.tags = splitTags(is.tags);
  if (JSON.stringify(is.pattern) !== JSON.stringify(was.pattern))
    patch.recurrence_pattern = is.pattern;
  return patch;
}

function Field({ label, hint, children }: { label: Key; hint?: Key; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
    <label class="field">
      <span class="field-label">
        {t(label)}
        {hint && <small> {t(hint)}</small>}
      </span>
      {children}
    </label>
  );
}

function Weekdays({ pattern, put }: { pattern: Recurrence; put: (p: Recurrence) => void }) {
  const monday = weekOf("2024-01-01");
  const chosen = pattern.by_day ?? [];
  return (
    <fieldset class="weekdays">
      <legend class="field-label">{t("f_days")}</legend>
      {WEEKDAYS.map((day, i) => (
        <label key={day}>
          <input
            type="checkbox"
            checked={chosen.includes(day)}
            onChange={(event) => {
              const by_day = WEEKDAYS.filter((d) =>
                d === day ? event.currentTarget.checked : chosen.includes(d),
              );
              put({ ...pattern, by_day: by_day.length ? by_day : undefined });
            }}
          />
          <span>{weekdayShort(addDays(monday, i))}</span>
        </label>
      ))}
    </fieldset>
  );
}

function NextDates({ pattern, start }: { pattern: Recurrence; start: string }) {
  if (!start) return <p class="muted">{t("repeat_needs_date")}</p>;
  return (
    <div class="next-dates">
      <span class="field-label">{t("next_dates")}</span>
      <ol>
        {nextDates(pattern, start, SHOWN_DATES).map((day) => (
          <li key={day}>{dayName(day)}</li>
        ))}
      </ol>
    </div>
  );
}

function Repeat({ form }: { form: Signal<Form> }) {
  const { pattern, date } = form.value;
  const put = (next: Recurrence | null) => {
    form.value = { ...form.value, pattern: next };
  };
  const editable = isEditable(pattern);
  const frequency = pattern?.frequency as Editable | undefined;
  return (
    <div class="repeat">
      <Field label="f_repeat">
        <select
          value={!pattern ? "" : editable ? frequency : "custom"}
          onChange={(event) => {
            const value = event.currentTarget.value as Editable | "" | "custom";
            if (value !== "custom")
              put(value ? { frequency: value, interval: 1, anchor: pattern?.anchor } : null);
          }}
        >
          <option value="">{t("repeat_none")}</option>
          {EDITABLE.map((name) => (
            <option value={name} key={name}>
              {t(`repeat_${name}`)}
            </option>
          ))}
          {!editable && <option value="custom">{t("repeat_custom")}</option>}
        </select>
      </Field>
      {pattern && editable && frequency && (
        <>
          <div class="pair">
            <Field label="f_every">
              <span class="with-unit">
                <input
                  type="number"
                  min={1}
                  max={999}
                  value={pattern.interval ?? 1}
                  onInput={(event) => {
                    const interval = Math.max(1, Math.min(999, Number(event.currentTarget.value)));
                    put({ ...pattern, interval: Math.round(interval) || 1 });
                  }}
                />
                <span>{everyText(frequency, pattern.interval ?? 1).replace(/^\d+ /, "")}</span>
              </span>
            </Field>
            <Field label="f_until">
              <input
                type="date"
                value={pattern.ends?.until?.slice(0, 10) ?? ""}
                onInput={(event) => {
                  const until = event.currentTarget.value;
                  put({ ...pattern, ends: until ? { until } : undefined });
                }}
              />
            </Field>
          </div>
          {frequency === "weekly" && <Weekdays pattern={pattern} put={put} />}
          <NextDates pattern={pattern} start={date} />
        </>
      )}
    </div>
  );
}

function Fields({ form }: { form: Signal<Form> }) {
  const value = form.value;
  const set = (part: Partial<Form>) => {
    form.value = { ...form.value, ...part };
  };
  return (
    <>
      <Field label="f_title">
        <input
          class="title-input"
          value={value.title}
          maxLength={500}
          dir="auto"
          required
          onInput={(event) => set({ title: event.currentTarget.value })}
        />
      </Field>
      <div class="pair">
        <Field label="f_date">
          <input
            type="date"
            value={value.date}
            onInput={(e) => set({ date: e.currentTarget.value })}
          />
        </Field>
        <Field label="f_time">
          <input
            type="time"
            value={value.time}
            disabled={!value.date}
            onInput={(e) => set({ time: e.currentTarget.value })}
          />
        </Field>
      </div>
      <Repeat form={form} />
      <div class="pair">
        <Field label="f_priority">
          <select
            value={value.priority}
            onChange={(e) => set({ priority: Number(e.currentTarget.value) })}
          >
            {[0, 1, 2, 3, 4].map((n) => (
              <option value={n} key={n}>
                {t(`priority_${n}` as Key)}
              </option>
            ))}
          </select>
        </Field>
        <Field label="f_project">
          <input value={value.project} onInput={(e) => set({ project: e.currentTarget.value })} />
        </Field>
      </div>
      <Field label="f_tags" hint="f_tags_hint">
        <input value={value.tags} onInput={(e) => set({ tags: e.currentTarget.value })} />
      </Field>
      <Field label="f_notes">
        <textarea
          rows={3}
          dir="auto"
          value={value.notes}
          onInput={(e) => set({ notes: e.currentTarget.value })}
        />
      </Field>
    </>
  );
}

function Editor({ task }: { task: Task }) {
  const seen = useSignal(task);
  const form = useSignal(formOf(task));
  const wrong = useSignal("");
  const busy = useSignal(false);
  const close = () => go("tasks");
  const save = async (event: Event) => {
    event.preventDefault();
    if (!form.value.title.trim()) {
      wrong.value = t("title_needed");
      return;
    }
    const patch = patchOf(formOf(seen.value), form.value);
    if (!Object.keys(patch).length) {
      close();
      return;
    }
    busy.value = true;
    const why = await editTask(seen.value, patch);
    busy.value = false;
    if (!why) {
      close();
      return;
    }
    wrong.value = why;
    const fresh = getTask(task.id);
    if (fresh && fresh.version !== seen.value.version) {
      seen.value = fresh;
      form.value = formOf(fresh);
    }
  };
  return (
    <form class="editor" onSubmit={save}>
      <Fields form={form} />
      {wrong.value && (
        <p class="form-error" role="alert">
          {wrong.value}
        </p>
      )}
      <button
        type="button"
        class="link"
        onClick={() => {
          say(t("why_text", { title: task.title }));
          go("chat");
        }}
      >
        {t("why")}
      </button>
      <footer class="dialog-foot">
        <button
          type="button"
          class="pill danger"
          onClick={() => {
            void act("delete", task.id);
            close();
          }}
        >
          {t("delete")}
        </button>
        <button type="button" class="pill" onClick={close}>
          {t("cancel")}
        </button>
        <button type="submit" class="pill strong" disabled={busy.value}>
          {t("save")}
        </button>
      </footer>
    </form>
  );
}

export function TaskDialog({ id }: { id: string }) {
  const task = getTask(id);
  return (
    <Dialog title={t("task_title")} class="sheet" onClose={() => go("tasks")}>
      {task && task.status !== "deleted" ? (
        <Editor task={task} key={id} />
      ) : (
        <p class="muted">{t("missing")}</p>
      )}
    </Dialog>
  );
}
