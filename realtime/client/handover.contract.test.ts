import { type ContractBackend, contractChannels, createContractHttp } from "throughline/testing"
import { expect, it } from "vitest"
import { startAblyBackend } from "../testing/ably-backend.ts"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import { startPusherBackend } from "../testing/pusher-backend.ts"
import { startSocketIoBackend } from "../testing/socketio-backend.ts"
import { waitFor } from "../testing/wait-for.ts"
import { createClient } from "./create-client.ts"
import * as failover from "./failover-transport.ts"
import { createListedTransport } from "./listed-transport.ts"

const room = contractChannels.room({ room: "1" })
const [alice, bob] = [{ id: "alice" }, { id: "bob" }]

const backends: Record<string, () => Promise<ContractBackend>> = {
  memory: () => startMemoryBackend(),
  socketio: startSocketIoBackend,
  pusher: () => startPusherBackend(),
  ably: () => startAblyBackend(),
}

it.each(Object.keys(backends))(
  "%s is handed over to failover: nothing is lost or repeated, and nobody is gone",
  async (name) => {
    await using backend = (await backends[name]?.()) as ContractBackend
    let isThere = false
    const candidate = { provider: name, key: name, create: () => backend.createTransport(alice) }
    const transport = createListedTransport({
      candidates: [candidate],
      async loadFailover() {
        isThere = true
        return failover
      },
    })
    const page = createClient({ transport, http: createContractHttp(backend.realtime, alice) })
    const other = createClient({
      transport: backend.createTransport(bob),
      http: createContractHttp(backend.realtime, bob),
      presenceGraceMs: 0,
    })
    const received: string[] = []
    const faults: string[] = []
    const { ready } = page.channel(room).subscribe({
      onMessages: (messages) =>
        void received.push(...messages.map(({ payload }) => (payload as { text: string }).text)),
      onGap: () => void faults.push("gap"),
      onReset: () => void faults.push("reset"),
    })
    page.channel(room).presence.enter({ mood: "fine" })
    const { presence } = other.channel(room)
    const isSeen = () => presence.snapshot?.members?.some(({ user }) => user.id === alice.id) === true
    presence.subscribe(() => {})
    for (const client of [page, other]) client.open()
    await Promise.all([ready, waitFor(isSeen, "who is there")])

    const say = (text: string) => backend.realtime.publish(room, "said", { text })
    await say("0")
    transport.setCandidates([candidate])
    for (let n = 1; n < 10; n += 1) await say(String(n))
    await waitFor(() => isThere && received.length === 10, "what was said meanwhile")
    await waitFor(() => page.channel(room).status.state === "attached" && isSeen(), "the page")
    const heard: unknown[] = []
    page.channel(room).onSignal("typing", ({ payload }) => void heard.push(payload))
    await waitFor(async () => {
      await other.channel(room).signal("typing", { isTyping: true })
      return heard.length > 0
    }, "a signal")
    await say("10")
    await waitFor(() => received.length === 11, "what was said at last")
    expect(received).toEqual(Array.from({ length: 11 }, (_, n) => String(n)))
    expect([faults, transport.provider, transport.status.state]).toEqual([[], name, "connected"])
    await Promise.all([page.close(), other.close()])
  },
)
