// SPDX-License-Identifier: Apache-2.0
/** What modules of the page read while they are loaded. */
process.env.TZ = "Europe/Berlin";
Object.defineProperty(globalThis, "navigator", {
  value: { language: "en-GB", onLine: true },
  configurable: true,
});
