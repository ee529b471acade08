// SPDX-License-Identifier: Apache-2.0
import { WebSocket } from "ws"; // Node 22 and browsers have their own
import { TodoClient } from "./index.ts";

const client = new TodoClient({
  url: process.env.TODO_WS_URL!,
  token: process.env.TODO_TOKEN!,
  device: "example",
  timezone: "Europe/Berlin",
  WebSocket: WebSocket as never,
});
client.on("event", ({ event }) => {
  if (event.type !== "reminder.triggered") return;
  console.log("reminder:", event.data);
  client.stop();
});
client.on("unauthorized", () => process.exit(1));
client.start();
const reply = await client.say("remind me to stretch in 5 seconds");
console.log(reply.text);
