// SPDX-License-Identifier: Apache-2.0
/** What the page has to say about itself: the connection (after 5 s without one), old messages, updates. */
import { computed, effect, signal } from "@preact/signals";
import { plural, t } from "../i18n/index.ts";
import { act, line, settleStale, stale, wake } from "../store/sync.ts";
import { hideToast, toast } from "../toasts.ts";
import { applyUpdate, updateReady } from "../worker.ts";
import { Icon } from "./icons.tsx";

const PATIENCE_MS = 5000;

const lost = signal(false);

const connected = computed(() => line.value === "connected");

effect(() => {
  if (connected.value) {
    lost.value = false;
    return;
  }
  const timer = setTimeout(() => {
    lost.value = true;
  }, PATIENCE_MS);
  return () => clearTimeout(timer);
});

function Connection() {
  if (!lost.value) return null;
  const offline = !navigator.onLine;
  return (
    <div class="notice">
      <Icon name="offline" size={18} />
      <span>{t(offline ? "offline" : "reconnecting")}</span>
      {!offline && (
        <button type="button" class="link" onClick={wake}>
          {t("reconnect_now")}
        </button>
      )}
    </div>
  );
}

function Stale() {
  const n = stale.value.length;
  if (!n) return null;
  return (
    <div class="notice">
      <Icon name="clock" size={18} />
      <span>{plural("stale", n)}</span>
      <button type="button" class="link" onClick={() => settleStale(true)}>
        {t("stale_send")}
      </button>
      <button type="button" class="link" onClick={() => settleStale(false)}>
        {t("discard")}
      </button>
    </div>
  );
}

function Update() {
  if (!updateReady.value) return null;
  return (
    <div class="notice">
      <span>{t("update")}</span>
      <button type="button" class="link" onClick={applyUpdate}>
        {t("update_button")}
      </button>
    </div>
  );
}

export function Notices() {
  return (
    <div class="notices" role="status">
      <Connection />
      <Stale />
      <Update />
    </div>
  );
}

export function Toast() {
  const current = toast.value;
  return (
    <div class="toast-place" role="status">
      {current && (
        <div class="toast" key={current.n}>
          <span dir="auto">{current.text}</span>
          {current.undo && (
            <button
              type="button"
              class="link"
              onClick={() => {
                hideToast();
                void act("undo");
              }}
            >
              {t("undo")}
            </button>
          )}
          <button type="button" class="icon-button" aria-label={t("close")} onClick={hideToast}>
            <Icon name="close" size={16} />
          </button>
        </div>
      )}
    </div>
  );
}
