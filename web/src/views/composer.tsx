// SPDX-License-Identifier: Apache-2.0
/**
 * The message box: Enter sends, Shift+Enter breaks the line, ↑ brings the last message back, / shows
 * examples. While one types, what would be understood is shown above it, where the server can tell.
 */
import { batch, effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError, type Parsed, parse } from "../api.ts";
import { t } from "../i18n/index.ts";
import { language, timezone } from "../prefs.ts";
import { go, route } from "../route.ts";
import { lastSaid } from "../store/log.ts";
import { line, say } from "../store/sync.ts";
import { Chips, previewChips } from "./chips.tsx";
import { Icon } from "./icons.tsx";
import { toLatest } from "./scroll.ts";

const TEXT_MAX = 4096;
const TALLEST_PX = 160;
const PREVIEW_AFTER_MS = 220;
const PREVIEW_FROM = 3;

const draft = signal("");
const preview = signal<{ text: string; parsed: Parsed } | undefined>(undefined);
let canPreview = true;
let box: HTMLTextAreaElement | null = null;

export function focusComposer(): void {
  if (route.value.view !== "chat") go("chat");
  requestAnimationFrame(() => {
    box?.focus();
    box?.setSelectionRange(box.value.length, box.value.length);
  });
}

export function compose(text: string): void {
  draft.value = text;
  focusComposer();
}

const bytes = (text: string) => new TextEncoder().encode(text).length;

async function look(text: string): Promise<void> {
  try {
    const parsed = await parse(text, timezone, language.value);
    if (draft.value === text) preview.value = { text, parsed };
  } catch (error) {
    if (error instanceof ApiError && error.missing) canPreview = false;
  }
}

effect(() => {
  const text = draft.value;
  if (text.trim().length < PREVIEW_FROM || text.startsWith("/")) {
    preview.value = undefined;
    return;
  }
  if (!canPreview || line.value !== "connected" || bytes(text) > TEXT_MAX) return;
  const timer = setTimeout(() => void look(text), PREVIEW_AFTER_MS);
  return () => clearTimeout(timer);
});

function send(): void {
  const text = draft.value.trim();
  if (!text || text.startsWith("/") || bytes(text) > TEXT_MAX) return;
  batch(() => {
    say(text);
    toLatest();
    draft.value = "";
    preview.value = undefined;
  });
}

export const helpKeys = [
  "help_1",
  "help_2",
  "help_3",
  "help_4",
  "help_5",
  "help_6",
  "help_7",
  "help_8",
] as const;

function Help() {
  const wanted = draft.value.slice(1).trim().toLowerCase();
  const shown = helpKeys.filter((key) => t(key).toLowerCase().includes(wanted));
  return (
    <section class="help" aria-label={t("help_title")}>
      <h2 class="eyebrow">{t("help_title")}</h2>
      <ul>
        {(shown.length ? shown : helpKeys).map((key) => (
          <li key={key}>
            <button type="button" onClick={() => compose(t(key))}>
              {t(key)}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Preview() {
  const current = preview.value;
  if (!current) return null;
  const { parsed, text } = current;
  const intent = parsed.commands[0]?.intent ?? "out_of_scope";
  const known = intent !== "out_of_scope";
  const chips = previewChips(parsed, text);
  if (known && !chips.length) return null;
  return (
    <div class="preview">
      <span class="preview-label">{t(known ? "preview" : "preview_none")}</span>
      {known && <Chips chips={chips} label="preview" />}
    </div>
  );
}

export function Composer() {
  const ref = useRef<HTMLTextAreaElement>(null);
  const text = draft.value;
  const over = bytes(text) - TEXT_MAX;
  useEffect(() => {
    box = ref.current;
    if (matchMedia("(hover: hover)").matches) box?.focus();
  }, []);
  useEffect(() => {
    const area = ref.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, TALLEST_PX)}px`;
  }, [text]);
  const key = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && !text) {
      event.preventDefault();
      compose(lastSaid());
    } else if (event.key === "Escape" && text.startsWith("/")) {
      event.preventDefault();
      draft.value = "";
    }
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {text.startsWith("/") ? <Help /> : <Preview />}
      <div class="composer-box">
        <textarea
          id="message"
          ref={ref}
          rows={1}
          value={text}
          dir="auto"
          placeholder={t("compose_hint")}
          aria-label={t("compose_label")}
          aria-invalid={over > 0}
          enterkeyhint="send"
          autocomplete="off"
          onInput={(event) => {
            draft.value = event.currentTarget.value;
          }}
          onKeyDown={key}
        />
        <button
          type="submit"
          class="send"
          aria-label={t("compose_send")}
          disabled={!text.trim() || over > 0}
        >
          <Icon name="send" />
        </button>
      </div>
      {over > 0 && (
        <p class="composer-note" role="alert">
          {t("compose_too_long", { n: over })}
        </p>
      )}
    </form>
  );
}
