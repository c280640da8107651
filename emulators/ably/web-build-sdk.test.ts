import { createRequire } from "node:module"
import type * as Ably from "ably"
import { expect, test, vi } from "vitest"
import { openRest, until } from "./harness.ts"
import { startAblyEmulator } from "./server.ts"

// The browser's build, which Node's conditions would never select; it warns about being in Node.
vi.spyOn(console, "log").mockImplementation(() => {})
const require = createRequire(import.meta.url)
const { Realtime } = require("../../node_modules/ably/build/ably.js") as typeof Ably

test("§1a §1b §3.4a §4.5a §4.5e the SDK's web build connects, authenticates, publishes and resumes over the global WebSocket and fetch", async () => {
  await using emulator = await startAblyEmulator()
  const rest = openRest(emulator)
  const client = new Realtime({
    ...emulator.clientOptions,
    transports: ["web_socket"],
    clientId: "ann",
    logLevel: 0,
    authCallback: (params, done) =>
      void rest.auth
        .createTokenRequest({ ...params, clientId: "ann" })
        .then((request) => done(null, request)),
  })
  await using _ = { [Symbol.asyncDispose]: async () => client.close() }
  const received: unknown[] = []
  const channel = client.channels.get("room")
  await channel.subscribe((message) => void received.push(message.data))
  await channel.publish("m", { from: "the web build" })
  await channel.presence.enter("here")
  expect((await channel.presence.get()).map((member) => member.clientId)).toEqual(["ann"])
  expect((await channel.history()).items).toHaveLength(1)
  const { id } = client.connection
  emulator.faults.add({ fault: "cut", match: { direction: "outbound", action: "MESSAGE" }, times: 1 })
  await rest.channels.get("room").publish("m", "missed")
  await until(() => expect(received).toEqual([{ from: "the web build" }, "missed"]))
  expect(client.connection.id).toBe(id)
})
