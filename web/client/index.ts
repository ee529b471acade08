// SPDX-License-Identifier: Apache-2.0
export * from "./client.ts";
export * from "./outbox.ts";
export type * from "./protocol.ts";
