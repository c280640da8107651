import "fake-indexeddb/auto"
import { act, cleanup, render, screen, waitFor } from "@testing-library/react"
import { Activity, type ReactNode, StrictMode, useState } from "react"
import { afterEach, describe, expect, it, vi } from "vitest"
import { createRealtimeClient, type RealtimeClient } from "../client/index.ts"
import { createMemoryTransport } from "../providers/memory/client.ts"
import { createMemoryHub } from "../providers/memory/hub.ts"
import { createMemoryPublisher } from "../providers/memory/server.ts"
import { contractChannels, createContractRealtime } from "../testing/index.ts"
import { RealtimeProvider, useConnection, useMessages, usePresence } from "./index.ts"

const room = contractChannels.room({ room: "react" })
const alice = { id: "alice", name: "Alice" }
const bob = { id: "bob" }

/** What whoever listens to the window or the document, in this test's time, listens to. */
function noteListeners(): Set<unknown> {
  const listening = new Set<unknown>()
  for (const target of [window, document]) {
    const { addEventListener: add, removeEventListener: remove } = target
    vi.spyOn(target, "addEventListener").mockImplementation(function (this: Window, ...args: unknown[]) {
      if (["online", "pageshow", "visibilitychange"].includes(args[0] as string)) listening.add(args[1])
      Reflect.apply(add, this, args)
    } as typeof add)
    vi.spyOn(target, "removeEventListener").mockImplementation(function (this: Window, ...args: unknown[]) {
      listening.delete(args[1])
      Reflect.apply(remove, this, args)
    } as typeof remove)
  }
  return listening
}

/** One service, and an app on the line that is recommended, each time with a page of Alice's own. */
function setup() {
  const hub = createMemoryHub({ authorize: async () => {}, maxPresenceMembers: 100 })
  const realtime = createContractRealtime({ publishers: [createMemoryPublisher(hub)] })
  const made: RealtimeClient[] = []
  const counts = { connections: 0, requests: 0 }
  const owner = crypto.randomUUID()
  function create(): RealtimeClient {
    const client = createRealtimeClient({
      config: { ...realtime.clientConfig(), basePath: "http://app.test/api/realtime" },
      providers: {
        memory: async () => () => {
          counts.connections += 1
          return createMemoryTransport({ hub, user: alice, onError: () => {} })
        },
      },
      owner,
      async fetch(input, init) {
        counts.requests += 1
        const request = new Request(input, init)
        request.headers.set("x-contract-user", JSON.stringify({ ...alice, id: owner }))
        return request.method === "POST" ? realtime.handlers.POST(request) : realtime.handlers.GET(request)
      },
      presenceGraceMs: 20,
    })
    made.push(client)
    return client
  }
  function Realtime({ children }: { children: ReactNode }) {
    const [client] = useState(create)
    return <RealtimeProvider client={client}>{children}</RealtimeProvider>
  }
  const say = (text: string) => realtime.publish(room, "said", { text }, { from: bob })
  return { hub, create, made, counts, Realtime, say }
}

function Room() {
  const { messages, pending, send } = useMessages(room)
  usePresence(room, { mood: "here" })
  return (
    <section>
      <button type="button" onClick={() => send("said", { text: "mine" })}>
        send
      </button>
      <output>{messages.map(({ payload }) => (payload as { text: string }).text).join(" ")}</output>
      <p>{pending.map(({ state }) => state).join(" ")}</p>
      <b>{useConnection().state}</b>
    </section>
  )
}

const shown = (element: string) => document.querySelector(element)?.textContent
const isConnected = () => waitFor(() => expect(shown("b")).toBe("connected"))

afterEach(() => {
  cleanup()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  Reflect.deleteProperty(document, "prerendering")
})

describe("the life of a page's client", () => {
  it("begins with `open`: one that was merely made listens to nothing, waits for nothing and keeps nothing", () => {
    const listening = noteListeners()
    const opened: string[] = []
    vi.stubGlobal("BroadcastChannel", function BroadcastChannel(name: string) {
      opened.push(name)
    })
    vi.spyOn(indexedDB, "open").mockImplementation((name) => {
      opened.push(name)
      throw new Error("nobody should ask")
    })
    vi.useFakeTimers()
    try {
      const { create, counts } = setup()
      const client = create()
      client.channel(room).subscribe({ onMessages() {} })
      client.channel(room).presence.subscribe(() => {})
      client.connection.subscribe(() => {})
      client.connection.retry()
      expect([[...listening], opened, vi.getTimerCount(), counts]).toEqual([
        [],
        [],
        0,
        { connections: 0, requests: 0 },
      ])
    } finally {
      vi.useRealTimers()
    }
  })

  it("leaves no ghost under StrictMode, and nothing at all once it is unmounted", async () => {
    const listening = noteListeners()
    const { Realtime, made, counts } = setup()
    const view = render(
      <StrictMode>
        <Realtime>
          <Room />
        </Realtime>
      </StrictMode>,
    )
    await isConnected()
    expect(made).toHaveLength(2)
    expect(listening.size).toBe(3)
    act(() => void window.dispatchEvent(new Event("online")))
    expect(made.map(({ connection }) => connection.status.state).sort()).toEqual(["connected", "connecting"])
    expect(counts.connections).toBe(1)
    view.unmount()
    await waitFor(() => expect(listening.size).toBe(0))
  })

  it("connects a page that the browser draws ahead once it is shown, and none that never is", async () => {
    const listening = noteListeners()
    const prerendering = vi.fn(() => true)
    Object.defineProperty(document, "prerendering", { configurable: true, get: prerendering })
    const { Realtime, counts } = setup()
    const draw = () =>
      render(
        <StrictMode>
          <Realtime>
            <Room />
          </Realtime>
        </StrictMode>,
      )
    const left = draw()
    left.unmount()
    const view = draw()
    expect(listening.size).toBe(0)
    prerendering.mockReturnValue(false)
    act(() => void document.dispatchEvent(new Event("prerenderingchange")))
    await isConnected()
    expect([listening.size, counts.connections]).toEqual([3, 1])
    view.unmount()
    await waitFor(() => expect(listening.size).toBe(0))
  })

  it("goes on where it was when <Activity> hides it and shows it again", async () => {
    const { Realtime, made, counts, say, hub } = setup()
    const App = ({ mode }: { mode: "visible" | "hidden" }) => (
      <StrictMode>
        <Activity mode={mode}>
          <Realtime>
            <Room />
          </Realtime>
        </Activity>
      </StrictMode>
    )
    const view = render(<App mode="visible" />)
    await isConnected()
    await waitFor(() => expect(hub.snapshot(room.name).count).toBe(1))
    await act(() => say("one"))
    await waitFor(() => expect(shown("output")).toBe("one"))
    for (const [away, back, all] of [
      ["two", "three", "one two three"],
      ["four", "five", "one two three four five"],
    ] as const) {
      view.rerender(<App mode="hidden" />)
      await waitFor(() => expect(hub.snapshot(room.name).count).toBe(0))
      await waitFor(() =>
        expect(made.some(({ connection: { status } }) => status.state === "closed")).toBe(true),
      )
      await say(away)
      view.rerender(<App mode="visible" />)
      await isConnected()
      await waitFor(() => expect(hub.snapshot(room.name).count).toBe(1))
      await act(() => say(back))
      await waitFor(() => expect(shown("output")).toBe(all))
    }
    act(() => screen.getByText("send").click())
    await waitFor(() => expect(shown("output")).toBe("one two three four five mine"))
    expect([shown("p"), counts.connections]).toEqual(["", 3])
  })

  it("sends what was written while it was hidden once it is shown, and what it had begun isn't sent twice", async () => {
    const { create, say, counts } = setup()
    const client = create()
    const channel = client.channel(room)
    const heard: string[] = []
    channel.subscribe({
      onMessages: (messages) =>
        void heard.push(...messages.map(({ payload }) => (payload as { text: string }).text)),
    })
    channel.outbox.add("said", { text: "before" })
    expect(counts.requests).toBe(0)
    client.open()
    await waitFor(() => expect(heard).toEqual(["before"]))
    channel.outbox.add("said", { text: "under way" })
    await client.close()
    const { requests } = counts
    channel.outbox.add("said", { text: "hidden" })
    await say("somebody's")
    expect(counts.requests).toBe(requests)
    client.open()
    await waitFor(() => expect(heard.toSorted()).toEqual(["before", "hidden", "somebody's", "under way"]))
    await client.close()
  })

  it("goes on when hot reload has evaluated the provider's module again", async () => {
    const { create, counts } = setup()
    const client = create()
    const view = render(<RealtimeProvider client={client}>first</RealtimeProvider>)
    await waitFor(() => expect(client.connection.status.state).toBe("connected"))
    vi.resetModules()
    const { RealtimeProvider: Edited } = await import("./provider.tsx")
    expect(Edited).not.toBe(RealtimeProvider)
    view.rerender(<Edited client={client}>second</Edited>)
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect([client.connection.status.state, counts.connections]).toEqual(["connected", 1])
    view.unmount()
    await waitFor(() => expect(client.connection.status.state).toBe("closed"))
  })

  it("is as long as that of the last provider that has it", async () => {
    const { create } = setup()
    const client = create()
    const App = ({ both }: { both: boolean }) => (
      <>
        <RealtimeProvider client={client}>
          <Room />
        </RealtimeProvider>
        {both && <RealtimeProvider client={client}>second</RealtimeProvider>}
      </>
    )
    const view = render(<App both />)
    await isConnected()
    view.rerender(<App both={false} />)
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect(client.connection.status.state).toBe("connected")
    view.unmount()
    await waitFor(() => expect(client.connection.status.state).toBe("closed"))
  })
})
