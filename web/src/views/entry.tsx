// SPDX-License-Identifier: Apache-2.0
/** One thing in the conversation: a turn with its answer, or a reminder. */
import type { Suggestion, Task } from "../../client/index.ts";
import type { Key } from "../i18n/en.ts";
import { t } from "../i18n/index.ts";
import type { ReminderEntry, TurnEntry } from "../store/log.ts";
import { act, dropTurn, line, retry, say } from "../store/sync.ts";
import { getTask } from "../store/tasks.ts";
import { clock, dueText } from "../time.ts";
import { Chips, repeatWords, taskChips } from "./chips.tsx";
import { Icon } from "./icons.tsx";
import { TaskRow } from "./task_row.tsx";

function Stamp({ entry }: { entry: TurnEntry }) {
  if (entry.state === "failed") return null;
  const waiting = entry.state !== "sent";
  const name: Key = !waiting ? "sent" : line.value === "connected" ? "sending" : "queued";
  return (
    <span class="stamp">
      <time dateTime={new Date(entry.at).toISOString()}>{clock(entry.at)}</time>
      <span role="img" aria-label={t(name)} title={t(name)}>
        <Icon name={waiting ? "clock" : "check"} size={13} />
      </span>
    </span>
  );
}

function Failure({ entry }: { entry: TurnEntry }) {
  const { error, command, key } = entry;
  if (entry.state !== "failed" || !error || !command) return null;
  const own: Record<string, Key> = { id_reused: "failed_reused", too_large: "failed_too_large" };
  const known = own[error.code];
  return (
    <div class="failure" role="alert">
      <span>{t("failed", { why: known ? t(known) : error.message })}</span>
      <button type="button" class="link" onClick={() => retry(key, command)}>
        {t("retry")}
      </button>
      <button type="button" class="link" onClick={() => dropTurn(key, command)}>
        {t("discard")}
      </button>
    </div>
  );
}

function run({ action, task, args, text, label }: Suggestion): void {
  if (action) void act(action, task, args);
  else say(text ?? label);
}

function QuickReplies({ suggestions }: { suggestions: readonly Suggestion[] }) {
  if (!suggestions.length) return null;
  return (
    <div class="quick">
      {suggestions.map((suggestion) => (
        <button type="button" class="pill" key={suggestion.label} onClick={() => run(suggestion)}>
          {suggestion.label}
        </button>
      ))}
    </div>
  );
}

const numbered = (text: string) => /^\d+\. /.test(text);

/** "3 tasks:" and what follows the numbered lines; the lines themselves become rows. */
function aroundList(text: string): { head: string; tail: string } {
  const lines = text.split("\n");
  const first = lines.findIndex(numbered);
  if (first < 0) return { head: text, tail: "" };
  const rest = lines.slice(first).filter((line) => !numbered(line));
  return { head: lines.slice(0, first).join("\n"), tail: rest.join("\n") };
}

function TaskList({ tasks }: { tasks: readonly Task[] }) {
  return (
    <ol class="card tasks">
      {tasks.map((task, i) => (
        <TaskRow key={task.id} task={task} number={i + 1} />
      ))}
    </ol>
  );
}

function Warnings({ warnings }: { warnings: readonly string[] }) {
  return warnings.map((warning) => (
    <p class="warning" key={warning}>
      <Icon name="warn" size={16} />
      <span>
        <b>{t("warning")}:</b> {warning}
      </span>
    </p>
  ));
}

const CREATES = new Set(["task.create", "reminder.set"]);

function Answer({ entry, latest }: { entry: TurnEntry; latest: boolean }) {
  const { reply, text } = entry;
  if (!reply) return null;
  const listed = reply.tasks?.length ? reply.tasks : undefined;
  const { head, tail } = listed ? aroundList(reply.text) : { head: reply.text, tail: "" };
  const created = reply.task && CREATES.has(reply.intent) ? reply.task : undefined;
  const task = created && getTask(created.id);
  const chips =
    task && task.status !== "deleted" && text
      ? taskChips(task, repeatWords(reply.understood ?? [], text))
      : [];
  return (
    <div class="bot">
      {head && (
        <p class="bot-text" dir="auto">
          {head}
        </p>
      )}
      {listed && <TaskList tasks={listed} />}
      {tail && <p class="bot-text muted">{tail}</p>}
      <Chips chips={chips} task={task} label="understood" />
      <Warnings warnings={reply.warnings ?? []} />
      {latest && <QuickReplies suggestions={reply.suggestions ?? []} />}
    </div>
  );
}

function Mine({ entry }: { entry: TurnEntry }) {
  if (entry.text)
    return (
      <div class={`mine ${entry.state}`}>
        <p class="bubble" dir="auto">
          {entry.text}
        </p>
        <Stamp entry={entry} />
      </div>
    );
  if (!entry.action) return null;
  return (
    <div class={`mine ${entry.state}`}>
      <p class="did">{t(`act_${entry.action}` as Key)}</p>
    </div>
  );
}

export function Turn({ entry, latest }: { entry: TurnEntry; latest: boolean }) {
  const thinking = entry.state === "queued" && !entry.reply && line.value === "connected";
  return (
    <div class="turn">
      <Mine entry={entry} />
      <Failure entry={entry} />
      {thinking && entry.text && (
        <div class="thinking" role="img" aria-label={t("thinking")}>
          <i />
          <i />
          <i />
        </div>
      )}
      <Answer entry={entry} latest={latest} />
    </div>
  );
}

function ReminderButtons({ task }: { task: string }) {
  return (
    <div class="quick">
      <button type="button" class="pill strong" onClick={() => void act("complete", task)}>
        {t("done")}
      </button>
      <button type="button" class="pill" onClick={() => void act("snooze", task, { minutes: 10 })}>
        {t("snooze_10")}
      </button>
      <button type="button" class="pill" onClick={() => void act("snooze", task, { minutes: 60 })}>
        {t("snooze_60")}
      </button>
      <button type="button" class="pill quiet" onClick={() => void act("dismiss", task)}>
        {t("act_dismiss")}
      </button>
    </div>
  );
}

export function Reminder({ entry }: { entry: ReminderEntry }) {
  const { data } = entry;
  const task = data.task_id;
  const closed = entry.cleared || (task !== undefined && getTask(task)?.status === "done");
  const due = data.due_date ? dueText({ ...data, due_date: data.due_date }) : "";
  const kind: Key = closed ? "reminder_cleared" : data.late ? "reminder_late" : "reminder";
  return (
    <article
      class={`reminder ${closed ? "cleared" : ""}`}
      aria-label={`${t("reminder")}: ${data.title}`}
    >
      <span class="reminder-bell">
        <Icon name={closed ? "check" : "bell"} />
      </span>
      <div class="reminder-main">
        <p class="reminder-kind">
          {t(kind)}
          <time dateTime={new Date(entry.at).toISOString()}>{clock(entry.at)}</time>
        </p>
        <p class="reminder-title" dir="auto">
          {data.title}
        </p>
        {data.digest ? <p class="muted lines">{data.body}</p> : due && <p class="muted">{due}</p>}
        {!closed && task && <ReminderButtons task={task} />}
      </div>
    </article>
  );
}
