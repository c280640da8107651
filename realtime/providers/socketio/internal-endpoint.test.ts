import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { expect, it } from "vitest"
import type { RealtimeMessage } from "../../message.ts"
import type { StatePatch } from "../../state.ts"
import { createMemoryHub } from "../memory/hub.ts"
import { createMemoryPublisher } from "../memory/server.ts"
import { createInternalEndpoint } from "./internal-endpoint.ts"
import { createSocketIoPublisher } from "./server.ts"

it("takes a group of messages, or of changes of the state, of any size, in their order", async () => {
  const heard: number[] = []
  const patched: StatePatch[] = []
  const hub = createMemoryHub({ authorize: async () => {}, maxPresenceMembers: 0 })
  const connection = {
    user: { id: "alice" },
    onMessages: (_: string, messages: readonly { seq: number }[]) =>
      void heard.push(...messages.map(({ seq }) => seq)),
    onSignal() {},
    onPresence() {},
    onState: (_: string, patches: readonly StatePatch[]) => void patched.push(...patches),
    onRevoked() {},
    onDropped() {},
  }
  await hub.connect(connection)
  await hub.subscribe(connection, "room:1")
  const secret = "a secret of the test"
  const answer = createInternalEndpoint({ publisher: createMemoryPublisher(hub), secret })
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  const requests: number[] = []
  const publisher = createSocketIoPublisher({
    ...{ internalUrl: `http://127.0.0.1:${port}`, secret, timeoutMs: 60_000 },
    fetch(...call) {
      requests.push(String(call[1]?.body).length)
      return fetch(...call)
    },
  })
  const text = "x".repeat(1024 * 1024)
  const messages = Array.from(
    { length: 20 },
    (_, n): RealtimeMessage => ({
      ...{ id: String(n), channel: "room:1", seq: n + 1, epoch: "e", event: "said" },
      ...{ payload: { text }, from: null, at: 0 },
    }),
  )
  await publisher.publish(messages)
  await new Promise((resolve) => setImmediate(resolve))
  expect(heard).toEqual(messages.map(({ seq }) => seq))
  const entries = [1, 2, 3, 4, 5].map((version) => ({ key: `key ${version}`, version, value: text }))
  requests.length = 0
  await publisher.state?.publish([{ channel: "room:1", epoch: "e", from: 0, to: 5, entries }])
  await new Promise((resolve) => setImmediate(resolve))
  expect(patched.flatMap((patch) => patch.entries)).toEqual(entries)
  // The gateway takes 16 MiB at once, and a proxy on the way may take less.
  expect(requests.length).toBe(2)
  expect(Math.max(...requests)).toBeLessThan(4.1 * 1024 * 1024)
  await new Promise((resolve) => server.close(resolve))
})
