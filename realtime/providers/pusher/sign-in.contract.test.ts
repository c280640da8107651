import Pusher from "pusher"
import { describe, expect, it, vi } from "vitest"
import { RealtimeError } from "../../errors.ts"
import { startPusherBackend } from "../../testing/pusher-backend.ts"
import { contractChannels, createContractHttp } from "../../testing/transport-contract/backend.ts"
import { waitFor } from "../../testing/wait-for.ts"
import type { ChannelObserver } from "../../transport.ts"
import { createPusherTransport } from "./client.ts"
import { toPusherUserId } from "./mapping.ts"

const alice = { id: "アリス/1", name: "アリス" }

async function setup() {
  const backend = await startPusherBackend()
  const library = new Pusher(backend.emulator.serverOptions())
  const { users } = backend.emulator.app()
  const connectionsOf = (userId: string) => users.connectionsOf(toPusherUserId(userId)).length
  return { backend, library, connectionsOf, isSignedIn: (userId: string) => connectionsOf(userId) > 0 }
}

describe("signing in to Pusher", () => {
  it("names each connection's person to the service, again after a reconnect", async () => {
    const { backend, isSignedIn } = await setup()
    await using _ = backend
    const transport = backend.createTransport(alice)
    transport.connect()
    await waitFor(() => isSignedIn(alice.id))
    backend.dropConnections()
    await waitFor(() => !isSignedIn(alice.id))
    await waitFor(() => isSignedIn(alice.id))
    expect(isSignedIn("bob")).toBe(false)
  })

  it("lets the server end all of a person's connections, which come back, and nobody else's", async () => {
    const { backend, library, connectionsOf } = await setup()
    await using _ = backend
    const [first, second, other] = [alice, alice, { id: "bob" }].map((user) => backend.createTransport(user))
    for (const transport of [first, second, other]) transport?.connect()
    await waitFor(() => connectionsOf(alice.id) === 2 && connectionsOf("bob") === 1)
    const seen: string[] = []
    for (const [name, transport] of Object.entries({ first, second, other }))
      transport?.onStatus(({ state }) => seen.push(`${name} ${state}`))
    await library.terminateUserConnections(toPusherUserId(alice.id))
    const both = ["first connected", "first reconnecting", "second connected", "second reconnecting"]
    await waitFor(() => both.every((state) => seen.includes(state)))
    // A machine that is slow about it may have them wait in between.
    expect(seen.filter((state) => !state.endsWith("suspended")).sort()).toEqual(both)
  })

  it("that the service doubts is no reason to come back once it was closed", async () => {
    const { backend, connectionsOf } = await setup()
    await using _ = backend
    const transport = backend.createTransport(alice)
    transport.connect()
    const heard = vi.fn()
    const room = contractChannels.room({ room: "doubted" })
    const ignore = () => {}
    const observer: ChannelObserver = {
      ...{ onAttached: ignore, onDetached: ignore, onDenied: ignore, onSignal: ignore, onPresence: ignore },
      ...{ cursor: () => null, onMessages: heard },
    }
    transport.subscribe(room.name, observer)
    await waitFor(() => connectionsOf(alice.id) === 1)
    backend.emulator.faults.inject({ kind: "error", code: 4009, message: "Unauthorized" })
    // What comes behind it is here.
    await waitFor(async () => {
      await backend.realtime.publish(room, "said", { text: "and on" })
      return heard.mock.calls.length > 0
    })
    await transport.close()
    await waitFor(() => connectionsOf(alice.id) === 0)
    // Thirty times as long as it would wait before it came back.
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(connectionsOf(alice.id)).toBe(0)
  })

  it("is tried again after a server's passing trouble; pusher-js would not", async () => {
    const { backend, isSignedIn } = await setup()
    await using _ = backend
    const http = createContractHttp(backend.realtime, alice)
    let failures = 0
    const transport = createPusherTransport({
      config: { provider: "pusher", key: "app-key", cluster: "mt1", ...hostOf(backend.emulator) },
      async credentials(body) {
        if (body.kind !== "user" || failures === 2) return http.credentials("pusher", body)
        failures += 1
        throw new RealtimeError("provider-unavailable", { message: "unable to answer; on purpose" })
      },
      onError: () => {},
      retryMs: 5,
    })
    transport.connect()
    await waitFor(() => isSignedIn(alice.id))
    expect(failures).toBe(2)
    await transport.close()
  })

  it("with a signature for a connection that is gone is given up, not shown on the next one", async () => {
    const { backend, isSignedIn } = await setup()
    await using _ = backend
    const http = createContractHttp(backend.realtime, alice)
    let held: (() => void) | undefined
    const transport = createPusherTransport({
      config: { provider: "pusher", key: "app-key", cluster: "mt1", ...hostOf(backend.emulator) },
      async credentials(body) {
        const answer = await http.credentials("pusher", body)
        if (body.kind === "user" && !held) {
          await new Promise<void>((resolve) => {
            held = resolve
          })
        }
        return answer
      },
      onError: () => {},
      retryMs: 5,
    })
    transport.connect()
    await waitFor(() => held)
    const states: string[] = []
    transport.onStatus(({ state }) => void states.push(state))
    backend.dropConnections()
    await waitFor(() => states.includes("connected"))
    held?.()
    await waitFor(() => isSignedIn(alice.id))
    // Shown there, the service would have ended the connection for good.
    expect(states).not.toContain("failed")
    expect(transport.status.state).toBe("connected")
    await transport.close()
  })
})

function hostOf(emulator: { serverOptions(): { host: string; port: string } }) {
  const { host, port } = emulator.serverOptions()
  return { host, port: Number(port), tls: false }
}
