// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { isEditable, nextDates } from "../src/recur.ts";

it.each([
  [{ frequency: "daily", interval: 3 }, "2026-11-24", ["2026-11-24", "2026-11-27", "2026-11-30"]],
  [{ frequency: "weekly" }, "2026-11-24", ["2026-11-24", "2026-12-01", "2026-12-08"]],
  [
    { frequency: "weekly", interval: 2, by_day: ["MO", "WE"] },
    "2026-11-25",
    ["2026-11-25", "2026-12-07", "2026-12-09"],
  ],
  [{ frequency: "monthly" }, "2026-12-31", ["2026-12-31", "2027-01-31", "2027-03-31"]],
  [
    { frequency: "monthly", by_month_day: [1] },
    "2026-11-24",
    ["2026-12-01", "2027-01-01", "2027-02-01"],
  ],
  [{ frequency: "yearly" }, "2028-02-29", ["2028-02-29", "2032-02-29", "2036-02-29"]],
  [{ frequency: "daily", ends: { count: 2 } }, "2026-11-24", ["2026-11-24", "2026-11-25"]],
  [{ frequency: "daily", ends: { until: "2026-11-24" } }, "2026-11-24", ["2026-11-24"]],
] as const)("%j from %s", (pattern, start, dates) => {
  expect(nextDates(pattern as never, start, 3)).toEqual(dates);
});

it("leaves rules alone that the editor could not make", () => {
  expect(isEditable(null)).toBe(true);
  expect(isEditable({ frequency: "weekly", by_day: ["MO"] })).toBe(true);
  expect(isEditable({ frequency: "monthly", by_day: ["2TU"] })).toBe(false);
  expect(isEditable({ frequency: "custom", rrule: "FREQ=HOURLY" })).toBe(false);
  expect(isEditable({ frequency: "daily", exceptions: ["2026-12-24"] })).toBe(false);
});
