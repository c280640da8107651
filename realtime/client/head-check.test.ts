import { contractChannels, createContractHttp } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { RealtimeError } from "../errors.ts"
import { startFailoverBackend } from "../testing/failover-backend.ts"
import { waitFor } from "../testing/wait-for.ts"
import { createClient } from "./create-client.ts"
import type { HeadCheckIntervals } from "./head-check.ts"

/** Who may do everything. */
const keeper = { id: "keeper" }
const room = contractChannels.room({ room: "1" })
const never = 3_600_000

async function setup(headCheck: HeadCheckIntervals) {
  const backend = await startFailoverBackend({ services: 1 })
  const requests: string[] = []
  /** As whom the page is signed in by now. */
  const asker = { user: keeper }
  const http = createContractHttp(backend.realtime, keeper)
  const counting = {
    ...http,
    async heads(channels: readonly string[]) {
      requests.push(...channels)
      return createContractHttp(backend.realtime, asker.user).heads(channels)
    },
  }
  const client = createClient({
    transport: backend.createTransport(keeper),
    http: counting,
    headCheck,
    onError: () => {},
  })
  client.open()
  const follow = (ref = room) => {
    const received: string[] = []
    const channel = client.channel(ref)
    const { ready } = channel.subscribe({
      onMessages: (messages) =>
        void received.push(...messages.map(({ payload }) => (payload as { text: string }).text)),
    })
    return { channel, received, ready }
  }
  const [hub] = backend.hubs
  if (!hub) throw new Error("no service")
  return { backend, hub, client, requests, follow, asker }
}

describe("what a provider took and delivered to nobody", () => {
  it("is found without another message being sent", async () => {
    const { backend, hub, follow, client } = await setup({ connectedMs: 20, interruptedMs: never })
    await using _ = backend
    const { received, ready } = follow()
    await ready
    hub.broadcast = () => {}
    await backend.realtime.publish(room, "said", { text: "unheard" })
    await waitFor(() => received.length === 1)
    expect(received).toEqual(["unheard"])
    await client.close()
  })

  it("is found while there is no connection at all, by the shorter interval", async () => {
    const { backend, hub, follow, client } = await setup({ connectedMs: never, interruptedMs: 20 })
    await using _ = backend
    const { received, ready } = follow()
    await ready
    backend.stop(hub)
    await waitFor(() => client.connection.status.state !== "connected")
    await backend.realtime.publish(room, "said", { text: "meanwhile" })
    await waitFor(() => received.length === 1)
    expect(client.connection.status.state).not.toBe("connected")
    await client.close()
  })

  it("is found while a provider fails anew, for a new reason, more often than the page looks", async () => {
    const { backend, hub, follow, client } = await setup({ connectedMs: never, interruptedMs: 80 })
    await using _ = backend
    const { received, ready } = follow()
    await ready
    hub.connect = async () => {
      throw new RealtimeError("provider-unavailable", { message: "unable to connect" })
    }
    hub.dropConnections()
    await waitFor(() => client.connection.status.state !== "connected")
    let reasons = 0
    client.connection.subscribe(() => {
      reasons += 1
    })
    await waitFor(() => reasons > 1)
    await backend.realtime.publish(room, "said", { text: "meanwhile" })
    await waitFor(() => received.length === 1)
    await client.close()
  })

  it("is asked for all channels in one request, and only those that somebody follows", async () => {
    const { backend, follow, requests, client } = await setup({ connectedMs: 20, interruptedMs: never })
    await using _ = backend
    const other = contractChannels.room({ room: "2" })
    await Promise.all([follow().ready, follow(other).ready])
    client.channel(contractChannels.room({ room: "3" }))
    requests.length = 0
    await waitFor(() => requests.length >= 4)
    expect(requests.slice(0, 4)).toEqual([room.name, other.name, room.name, other.name])
    await client.close()
  })

  it("tells a channel whose permission is gone, and leaves the others alone", async () => {
    const { backend, follow, client, asker } = await setup({ connectedMs: 20, interruptedMs: never })
    await using _ = backend
    const vault = follow(contractChannels.vault({ vault: "1" }) as unknown as typeof room)
    const open = follow()
    await Promise.all([vault.ready, open.ready])
    asker.user = { id: "alice" }
    await waitFor(() => vault.channel.status.state === "denied")
    expect(vault.channel.status.error).toMatchObject({ code: "channel-denied" })
    await backend.realtime.publish(contractChannels.vault({ vault: "1" }), "said", { text: "secret" })
    await backend.realtime.publish(room, "said", { text: "open" })
    await waitFor(() => open.received.length === 1)
    expect(vault.received).toEqual([])
    await client.close()
  })

  it("finds that a permission was given back, and goes on from where it was taken", async () => {
    const { backend, follow, client, asker } = await setup({ connectedMs: 20, interruptedMs: never })
    await using _ = backend
    const ref = contractChannels.vault({ vault: "1" })
    const vault = follow(ref as unknown as typeof room)
    await vault.ready
    asker.user = { id: "alice" }
    await waitFor(() => vault.channel.status.state === "denied")
    await backend.realtime.publish(ref, "said", { text: "meanwhile" })
    asker.user = keeper
    await waitFor(() => vault.channel.status.state === "attached")
    await backend.realtime.publish(ref, "said", { text: "again" })
    await waitFor(() => vault.received.length === 2)
    expect(vault.received).toEqual(["meanwhile", "again"])
    await client.close()
  })
})
