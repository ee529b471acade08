// SPDX-License-Identifier: Apache-2.0
/** Line icons on a 20 × 20 grid, drawn for this page. Always beside a text or inside a labelled button. */

const paths = {
  logo: "M4 6.5A2.5 2.5 0 0 1 6.5 4h7A2.5 2.5 0 0 1 16 6.5v5a2.5 2.5 0 0 1-2.5 2.5H9l-3.5 3V14A2.5 2.5 0 0 1 4 11.5zM7.3 9.1l1.9 1.9 3.6-3.8",
  send: "M10 16V4.5M5 9.2 10 4.2l5 5",
  check: "m5 10.5 3.3 3.2L15 6.8",
  chat: "M4 6a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v5.5a2 2 0 0 1-2 2H9.2L6 16.5v-3a2 2 0 0 1-2-2z",
  list: "M8.5 5.5H16M8.5 10H16M8.5 14.5H16M4.3 5.5h.01M4.3 10h.01M4.3 14.5h.01",
  week: "M4 6.5A1.5 1.5 0 0 1 5.5 5h9A1.5 1.5 0 0 1 16 6.5v8a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 4 14.5zM4 8.7h12M7.3 3.5V6M12.7 3.5V6",
  gear: "M3.5 6h7m4 0h2M3.5 14h2m4 0h7M12.5 4.2v3.6M7.5 12.2v3.6",
  search: "M9 14a5 5 0 1 0 0-10 5 5 0 0 0 0 10m3.7-1.3L16.5 16.5",
  bell: "M10 4a4 4 0 0 0-4 4v2.8L4.7 13h10.6L14 10.8V8a4 4 0 0 0-4-4M8.5 15.5a1.6 1.6 0 0 0 3 0",
  repeat:
    "M5 9V8a2.5 2.5 0 0 1 2.5-2.5H15M13 3.5l2 2-2 2M15 11v1a2.5 2.5 0 0 1-2.5 2.5H5m2 2-2-2 2-2",
  close: "m5.5 5.5 9 9m0-9-9 9",
  down: "m5.5 8 4.5 4.5L14.5 8",
  left: "M12 5.5 7.5 10l4.5 4.5",
  right: "M8 5.5 12.5 10 8 14.5",
  warn: "M10 4.2 17 16H3zM10 8.7v3.3m0 1.9v.1",
  clock: "M10 16.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13M10 6.5V10l2.3 1.6",
  offline:
    "M4 4l12 12M3.5 8.5a9.6 9.6 0 0 1 3-2m3-.9a9.6 9.6 0 0 1 7 2.9M6.2 11.2a5.7 5.7 0 0 1 2.6-1.5M10 15h.01",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width={size} height={size} aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
