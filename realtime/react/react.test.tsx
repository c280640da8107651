import { act, cleanup, render, screen, waitFor } from "@testing-library/react"
import { StrictMode, useEffect } from "react"
import { afterEach, describe, expect, it, vi } from "vitest"
import { createClient } from "../client/create-client.ts"
import type { RealtimeClient } from "../client/types.ts"
import type { LogPage } from "../message.ts"
import type { StatePage } from "../state.ts"
import { type ContractBackend, contractChannels, createContractHttp } from "../testing/index.ts"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import {
  RealtimeProvider,
  useChannel,
  useChannelState,
  useConnection,
  useMessages,
  usePresence,
  useSignal,
} from "./index.ts"

const room = contractChannels.room({ room: "react" })
const alice = { id: "alice", name: "Alice" }
const bob = { id: "bob" }

interface Setup extends AsyncDisposable {
  backend: ContractBackend
  client: RealtimeClient
  opened: number
  say(text: string): Promise<unknown>
}

async function setup(): Promise<Setup> {
  const backend = await startMemoryBackend()
  const result = { opened: 0 } as Setup
  return Object.assign(result, {
    backend,
    client: createClient({
      transport: countSubscriptions(backend.createTransport(alice), result),
      http: createContractHttp(backend.realtime, alice),
      presenceGraceMs: 20,
    }),
    say: (text: string) => backend.realtime.publish(room, "said", { text }, { from: bob }),
    async [Symbol.asyncDispose]() {
      cleanup()
      await backend[Symbol.asyncDispose]()
    },
  })
}

/** How many subscriptions reach the provider: what hooks share must not be opened twice. */
function countSubscriptions(
  transport: ReturnType<ContractBackend["createTransport"]>,
  counter: { opened: number },
) {
  return Object.create(transport, {
    subscribe: {
      value: (...args: Parameters<typeof transport.subscribe>) => {
        counter.opened += 1
        return transport.subscribe(...args)
      },
    },
  }) as typeof transport
}

function Messages({ label = "list", initial }: { label?: string; initial?: LogPage }) {
  const { messages, pending, send } = useMessages(room, initial ? { initial } : {})
  return (
    <section aria-label={label}>
      <button type="button" onClick={() => send("said", { text: "mine" })}>
        send
      </button>
      <output>{messages.map(({ payload }) => (payload as { text: string }).text).join(" ")}</output>
      <p>{pending.map(({ state }) => state).join(" ")}</p>
    </section>
  )
}

const textOf = (label = "list") => screen.getByLabelText(label).querySelector("output")?.textContent

afterEach(cleanup)

describe("the hooks", () => {
  it("show history from the server at once, and join what comes live, under StrictMode", async () => {
    await using world = await setup()
    await world.say("one")
    const initial = await world.backend.realtime.history(room)
    await world.say("two")
    render(
      <StrictMode>
        <RealtimeProvider client={world.client}>
          <Messages initial={initial} />
        </RealtimeProvider>
      </StrictMode>,
    )
    expect(textOf()).toBe("one")
    await waitFor(() => expect(textOf()).toBe("one two"))
    await act(() => world.say("three"))
    await waitFor(() => expect(textOf()).toBe("one two three"))
    expect(world.opened).toBe(1)
  })

  it("share one subscription among components, each with its own place", async () => {
    await using world = await setup()
    await world.say("early")
    const initial = await world.backend.realtime.history(room)
    const App = ({ both }: { both: boolean }) => (
      <RealtimeProvider client={world.client}>
        <Messages label="first" initial={initial} />
        {both && <Messages label="second" />}
      </RealtimeProvider>
    )
    const { rerender } = render(<App both />)
    await waitFor(() => expect(world.client.channel(room).status.state).toBe("attached"))
    await act(() => world.say("live"))
    await waitFor(() => expect([textOf("first"), textOf("second")]).toEqual(["early live", "live"]))
    rerender(<App both={false} />)
    await act(() => world.say("alone"))
    await waitFor(() => expect(textOf("first")).toBe("early live alone"))
    expect(world.opened).toBe(1)
  })

  it("keep the client open over a remount, and close it in the end", async () => {
    await using world = await setup()
    const view = render(
      <StrictMode>
        <RealtimeProvider client={world.client}>
          <Messages />
        </RealtimeProvider>
      </StrictMode>,
    )
    await waitFor(() => expect(world.client.connection.status.state).toBe("connected"))
    view.unmount()
    await waitFor(() => expect(world.client.connection.status.state).toBe("closed"))
  })

  it("show a message of one's own at once, and once", async () => {
    await using world = await setup()
    render(
      <RealtimeProvider client={world.client}>
        <Messages />
      </RealtimeProvider>,
    )
    await waitFor(() => expect(world.client.channel(room).status.state).toBe("attached"))
    act(() => screen.getByText("send").click())
    expect(screen.getByLabelText("list").querySelector("p")?.textContent).toBe("queued")
    await waitFor(() => expect(textOf()).toBe("mine"))
    expect(screen.getByLabelText("list").querySelector("p")?.textContent).toBe("")
  })

  it("show who is there, and tell others of changes", async () => {
    await using world = await setup()
    function Here({ mood }: { mood: string }) {
      const presence = usePresence(room, { mood })
      return <output>{presence?.members?.map(({ data }) => data.mood).join(" ")}</output>
    }
    const App = ({ mood }: { mood: string }) => (
      <RealtimeProvider client={world.client}>
        <Here mood={mood} />
      </RealtimeProvider>
    )
    const { rerender, container } = render(<App mood="fine" />)
    await waitFor(() => expect(container.textContent).toBe("fine"))
    rerender(<App mood="better" />)
    await waitFor(() => expect(container.textContent).toBe("better"))
  })

  it("send and hear signals", async () => {
    await using world = await setup()
    const other = createClient({
      transport: world.backend.createTransport(bob),
      http: createContractHttp(world.backend.realtime, bob),
    })
    other.open()
    const heard: string[] = []
    other.channel(room).onSignal("typing", ({ from }) => heard.push(from.id))
    function Typist() {
      const { status } = useChannel(room)
      const send = useSignal(room, "typing", () => {})
      useEffect(() => {
        if (status.state === "attached") send({ isTyping: true })
      }, [status.state, send])
      return <output>{status.state}</output>
    }
    await waitFor(() => expect(other.channel(room).status.state).toBe("attached"))
    render(
      <RealtimeProvider client={world.client}>
        <Typist />
      </RealtimeProvider>,
    )
    await waitFor(() => expect(heard).toEqual(["alice"]))
    await other.close()
  })

  it("show the connection's state as it changes", async () => {
    await using world = await setup()
    function State() {
      return <output>{useConnection().state}</output>
    }
    const { container } = render(
      <RealtimeProvider client={world.client}>
        <State />
      </RealtimeProvider>,
    )
    await waitFor(() => expect(container.textContent).toBe("connected"))
    const end = await world.backend.startOutage()
    await waitFor(() => expect(container.textContent).toBe("suspended"))
    await end()
    await waitFor(() => expect(container.textContent).toBe("connected"))
  })

  it("say where the provider is missing", () => {
    const silenced = console.error
    console.error = () => {}
    expect(() => render(<Messages />)).toThrow("RealtimeProvider")
    console.error = silenced
  })

  it("say that the provider above is another copy's, where the page has two", async () => {
    await using world = await setup()
    vi.resetModules()
    const copy = await import("./index.ts")
    expect(copy.RealtimeProvider).not.toBe(RealtimeProvider)
    const silenced = console.error
    console.error = () => {}
    const page = (
      <copy.RealtimeProvider client={world.client}>
        <Messages />
      </copy.RealtimeProvider>
    )
    expect(() => render(page)).toThrow(/of this copy of throughline .* doctor/)
    console.error = silenced
  })
})

describe("useChannelState", () => {
  type Keys = readonly `quote:${string}`[]
  function Quotes({ keys, initial }: { keys: Keys; initial?: StatePage }) {
    const values = useChannelState(room, keys, { perSecond: 20, initial })
    return <output>{keys.map((key) => values[key]?.bid ?? "-").join(" ")}</output>
  }
  const page = (client: RealtimeClient, keys: Keys, initial?: StatePage) => (
    <StrictMode>
      <RealtimeProvider client={client}>
        <Quotes keys={keys} {...(initial && { initial })} />
      </RealtimeProvider>
    </StrictMode>
  )
  const shown = () => screen.getByRole("status").textContent

  it("shows the values of its keys, live, and watches others without leaving", async () => {
    await using world = await setup()
    const state = world.backend.realtime.state(room)
    await state.set("quote:a", { bid: 1, ask: 2 })
    await state.set("quote:c", { bid: 3, ask: 4 })
    const { rerender } = render(page(world.client, ["quote:a", "quote:b"]))
    await waitFor(() => expect(shown()).toBe("1 -"))
    await state.set("quote:b", { bid: 5, ask: 6 })
    await waitFor(() => expect(shown()).toBe("1 5"))
    rerender(page(world.client, ["quote:b", "quote:c"]))
    await waitFor(() => expect(shown()).toBe("5 3"))
    await state.delete("quote:b")
    await waitFor(() => expect(shown()).toBe("- 3"))
    expect(world.opened).toBe(1)
  })

  it("begins with what the server read for its page, and goes on from there", async () => {
    await using world = await setup()
    const state = world.backend.realtime.state(room)
    await state.set("quote:a", { bid: 1, ask: 2 })
    await state.set("quote:b", { bid: 3, ask: 4 })
    const initial = await state.read(["quote:a", "quote:b"])
    await state.set("quote:a", { bid: 5, ask: 6 })
    await state.delete("quote:b")
    const { rerender } = render(page(world.client, ["quote:a", "quote:b"], initial))
    expect(shown()).toBe("1 3")
    await waitFor(() => expect(shown()).toBe("5 -"))
    // The server renders the page again: what has come meanwhile is newer.
    rerender(page(world.client, ["quote:a", "quote:b"], { ...initial }))
    expect(shown()).toBe("5 -")
    await state.set("quote:b", { bid: 7, ask: 8 })
    await waitFor(() => expect(shown()).toBe("5 7"))
    expect(world.opened).toBe(1)
  })
})
