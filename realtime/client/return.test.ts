import { contractChannels, createContractHttp } from "throughline/testing"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { startFailoverBackend } from "../testing/failover-backend.ts"
import { waitFor } from "../testing/wait-for.ts"
import { createClient } from "./create-client.ts"

const alice = { id: "alice" }
const room = contractChannels.room({ room: "1" })
/** Longer than any test: what is found isn't found by the comparison that comes by itself. */
const never = { connectedMs: 3_600_000, interruptedMs: 3_600_000 }

/** What a browser tells a page. */
const browser = { window: new EventTarget(), document: new EventTarget() }

beforeEach(() => {
  browser.window = new EventTarget()
  browser.document = Object.assign(new EventTarget(), { visibilityState: "visible" })
  vi.stubGlobal("window", browser.window)
  vi.stubGlobal("document", browser.document)
})
afterEach(() => vi.unstubAllGlobals())

const shown = (persisted: boolean) => Object.assign(new Event("pageshow"), { persisted })

async function setup() {
  const backend = await startFailoverBackend({ services: 1 })
  const [hub] = backend.hubs
  if (!hub) throw new Error("no service")
  const http = createContractHttp(backend.realtime, alice)
  const reads: string[] = []
  const transport = backend.createTransport(alice)
  const client = createClient({
    transport,
    http: {
      ...http,
      history(...request) {
        reads.push(request[0])
        return http.history(...request)
      },
    },
    headCheck: never,
    onError: () => {},
  })
  const received: string[] = []
  const subscription = client.channel(room).subscribe({
    onMessages: (messages) =>
      void received.push(...messages.map(({ payload }) => (payload as { text: string }).text)),
  })
  return { backend, hub, client, transport, subscription, received, reads }
}

describe("a page that comes back", () => {
  it.each([
    ["when the network is back", () => browser.window.dispatchEvent(new Event("online"))],
    ["when it is looked at", () => browser.document.dispatchEvent(new Event("visibilitychange"))],
    ["when it is shown from the cache", () => browser.window.dispatchEvent(shown(true))],
  ])("looks at once whether it has missed something, %s", async (_, happens) => {
    const { backend, hub, client, subscription, received } = await setup()
    await using _backend = backend
    client.open()
    await subscription.ready
    hub.broadcast = () => {}
    await backend.realtime.publish(room, "said", { text: "unheard" })
    happens()
    await waitFor(() => received.length === 1)
    // While the provider is away the log stands in for it.
    backend.stop(hub)
    await waitFor(() => client.connection.status.state !== "connected")
    await backend.realtime.publish(room, "said", { text: "meanwhile" })
    happens()
    await waitFor(() => received.length === 2)
    expect(client.connection.status.state).not.toBe("connected")
    expect(received).toEqual(["unheard", "meanwhile"])
    await client.close()
  })

  it("asks nothing when it is hidden, shown for the first time, not opened yet or closed", async () => {
    const { backend, client, transport, subscription, reads } = await setup()
    await using _backend = backend
    const everything = () => {
      browser.window.dispatchEvent(new Event("online"))
      browser.document.dispatchEvent(new Event("visibilitychange"))
      browser.window.dispatchEvent(shown(true))
    }
    everything()
    expect(transport.status.state).toBe("connecting")
    expect(reads).toEqual([])
    client.open()
    await subscription.ready
    reads.length = 0
    browser.window.dispatchEvent(shown(false))
    Object.assign(browser.document, { visibilityState: "hidden" })
    browser.document.dispatchEvent(new Event("visibilitychange"))
    await client.close()
    everything()
    expect(reads).toEqual([])
  })
})
