import { type ContractBackend, contractChannels, createContractHttp } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { defineChannel } from "../channel.ts"
import { createClient } from "../client/create-client.ts"
import { createMessageId } from "../message-id.ts"
import { startAblyBackend } from "../testing/ably-backend.ts"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import { startPusherBackend } from "../testing/pusher-backend.ts"
import { startSocketIoBackend } from "../testing/socketio-backend.ts"
import { waitFor } from "../testing/wait-for.ts"
import { shareAwareness } from "./awareness.ts"
import type { SharedDocument } from "./document-types.ts"
import { openDocument } from "./open-document.ts"
import { yjsAwareness, yjsUpdate } from "./schema.ts"

/** Documents in the place of the contract's rooms, which everybody may write to. */
const room = defineChannel("room:{room}", {
  messages: { update: yjsUpdate() },
  signals: { awareness: yjsAwareness() },
  latest: ["awareness"],
  presence: contractChannels.room.presence,
})

const textOf = ({ doc }: SharedDocument) => doc.getText("text")
const isSynced = (...documents: SharedDocument[]) =>
  waitFor(() => documents.every(({ status }) => status.state === "synced"))

const providers: [string, () => Promise<ContractBackend>][] = [
  ["memory", startMemoryBackend],
  ["Socket.IO", startSocketIoBackend],
  ["Pusher", startPusherBackend],
  ["Ably", startAblyBackend],
]

describe.each(providers)("documents over %s", (_, start) => {
  async function stage() {
    const backend = await start()
    backend.realtime.redefine({ channels: { ...contractChannels, room }, onSignal: {} })
    const ref = room({ room: createMessageId() })
    const clients: { close(): Promise<void> }[] = []
    return {
      backend,
      open(id: string) {
        const client = createClient({
          transport: () => backend.createTransport({ id }),
          http: createContractHttp(backend.realtime, { id }),
          onError() {},
        })
        clients.push(client)
        client.open()
        const channel = client.channel(ref)
        return { channel, document: openDocument(channel) }
      },
      head: () => backend.realtime.head(ref),
      async [Symbol.asyncDispose]() {
        await Promise.all(clients.map((client) => client.close()))
        await backend[Symbol.asyncDispose]()
      },
    }
  }

  it("are the same for everybody, whose connections break meanwhile", async () => {
    await using running = await stage()
    const [a, b] = [running.open("a").document, running.open("b").document]
    await isSynced(a, b)
    for (let n = 0; n < 20; n += 1) {
      textOf(n % 2 === 0 ? a : b).insert(0, `${n} `)
      if (n === 10) await running.backend.dropConnections()
    }
    await isSynced(a, b)
    await waitFor(() => textOf(a).toString() === textOf(b).toString())
    const later = running.open("c").document
    await isSynced(later)
    expect(textOf(later).toString()).toBe(textOf(a).toString())
    expect(textOf(later).toString().trim().split(" ")).toHaveLength(20)
    expect((await running.head()).seq).toBeLessThan(20)
  })

  it("take a megabyte that was pasted as a whole", async () => {
    await using running = await stage()
    const [a, b] = [running.open("a").document, running.open("b").document]
    await isSynced(a, b)
    const lengths = new Set<number>()
    b.doc.on("update", () => lengths.add(textOf(b).length))
    textOf(a).insert(0, "x".repeat(1_000_000))
    await a.flush()
    await waitFor(() => textOf(b).length > 0)
    expect([...lengths]).toEqual([1_000_000])
  })

  it("show where the others are, until they leave", async () => {
    await using running = await stage()
    const [a, b] = [running.open("a"), running.open("b")]
    const [ofA, ofB] = [a, b].map(({ channel, document }) => shareAwareness(channel, document.doc)) as [
      ReturnType<typeof shareAwareness>,
      ReturnType<typeof shareAwareness>,
    ]
    ofA.awareness.setLocalStateField("name", "Aki")
    ofB.awareness.setLocalStateField("name", "Ben")
    const names = ({ awareness }: typeof ofA) =>
      [...awareness.getStates().values()].map(({ name }) => name).join()
    await waitFor(() => names(ofA) === "Aki,Ben" && names(ofB) === "Ben,Aki")
    ofA.close()
    await waitFor(() => names(ofB) === "Ben")
  })
})
