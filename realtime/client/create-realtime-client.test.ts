import { contractChannels, createContractRealtime } from "throughline/testing"
import { describe, expect, it, vi } from "vitest"
import { RealtimeError } from "../errors.ts"
import { createMemoryLog } from "../log/memory.ts"
import type { User } from "../message.ts"
import { createMemoryTransport } from "../providers/memory/client.ts"
import { createMemoryHub } from "../providers/memory/hub.ts"
import { createMemoryPublisher } from "../providers/memory/server.ts"
import { createPusherTransport } from "../providers/pusher/client.ts"
import { waitFor } from "../testing/wait-for.ts"
import { inThisPage } from "./create-client.ts"
import { createRealtimeClient, type RealtimeClientOptions } from "./create-realtime-client.ts"
import { createMemoryStore } from "./outbox-store.ts"

const user = { id: "alice" }
const bob = { id: "bob" }
const room = contractChannels.room({ room: "1" })

/** Two services, and a server that is deployed again and again with another choice of them, over one log. */
function setup() {
  const hubs = ["one", "two"].map((provider) => ({
    provider,
    hub: createMemoryHub({ authorize: async () => {}, maxPresenceMembers: 100 }),
  }))
  const log = createMemoryLog()
  const deploy = (...chosen: string[]) =>
    createContractRealtime({
      log,
      publishers: chosen.flatMap((provider) =>
        hubs
          .filter((service) => service.provider === provider)
          .map(({ hub }) => ({
            ...createMemoryPublisher(hub),
            provider,
            clientConfig: () => ({ provider }),
          })),
      ),
    })
  const server = { running: deploy("one") }
  const session: { user: User | null } = { user }
  const loaded: string[] = []
  const requests: string[] = []
  const options = (): RealtimeClientOptions => ({
    config: { ...server.running.clientConfig(), basePath: "http://app.test/api/realtime" },
    providers: Object.fromEntries(
      hubs.map(({ provider, hub }) => [
        provider,
        async () => {
          loaded.push(provider)
          return () => createMemoryTransport({ hub, user, retryMs: 10, onError: () => {} })
        },
      ]),
    ),
    async fetch(input, init) {
      const request = new Request(input, init)
      requests.push(new URL(request.url).pathname.split("/").at(-1) ?? "")
      request.headers.set("x-contract-user", JSON.stringify(session.user))
      const { handlers } = server.running
      return request.method === "POST" ? handlers.POST(request) : handlers.GET(request)
    },
    failover: { patienceMs: 40, returnMs: 40 },
    headCheck: { connectedMs: 20, interruptedMs: 20 },
    onError: () => {},
  })
  return { deploy, server, session, log, loaded, requests, options }
}

describe("the client of a page", () => {
  it("loads the code of the provider in use only, and asks for its configuration only when it changes", async () => {
    const { options, loaded, requests, server, deploy } = setup()
    server.running = deploy("two", "one")
    const client = createRealtimeClient(options())
    client.open()
    await client.channel(room).subscribe({ onMessages: () => {} }).ready
    await waitFor(() => requests.filter((path) => path === "head").length > 3)
    expect(loaded).toEqual(["two"])
    expect(requests).not.toContain("config")
    await client.close()
  })

  it("follows the server to another provider without a reload and without losing anything", async () => {
    const { options, server, deploy } = setup()
    const client = createRealtimeClient(options())
    const states: string[] = []
    client.connection.subscribe(() => states.push(client.connection.status.state))
    client.open()
    const received: unknown[] = []
    const { ready } = client.channel(room).subscribe({
      onMessages: (messages) => void received.push(...messages.map(({ payload }) => payload)),
    })
    await ready
    const say = (text: string) => server.running.publish(room, "said", { text })
    await say("a")
    states.length = 0
    server.running = deploy("two")
    await say("b")
    await waitFor(() => client.connection.provider === "two")
    await say("c")
    await waitFor(() => received.length === 3)
    expect(received).toEqual([{ text: "a" }, { text: "b" }, { text: "c" }])
    expect(states).toEqual(["connected"])

    server.running = deploy("one", "two")
    await waitFor(() => client.connection.provider === "one")
    await client.close()
  })

  it.each([
    ["somebody else", bob],
    ["nobody", null],
  ])("ends when %s is signed in, and what was written waits for its writer", async (_, next) => {
    const { options, session, requests, log } = setup()
    const store = createMemoryStore()
    const ofAlice: RealtimeClientOptions = {
      ...options(),
      owner: user.id,
      outbox: { ...inThisPage(), store },
      headCheck: { connectedMs: 3_600_000, interruptedMs: 3_600_000 },
    }
    const client = createRealtimeClient(ofAlice)
    const told: string[] = []
    client.connection.subscribe(() => {
      const { state, error } = client.connection.status
      told.push(error ? `${state} ${error.code}` : state)
    })
    client.open()
    await client.channel(room).subscribe({ onMessages: () => {} }).ready
    await client.checkSession()
    expect(client.connection.status).toEqual({ state: "connected" })
    session.user = next
    told.length = 0
    const id = client.channel(room).outbox.add("said", { text: "mine" })
    await waitFor(() => client.connection.status.state === "failed")
    expect(told).toEqual(["failed session-changed"])
    expect(await store.load()).toMatchObject([{ id }])
    expect((await store.load())[0]).not.toHaveProperty("refusal")
    // By itself it asks nothing more.
    const asked = requests.length
    client.connection.retry()
    session.user = user
    const again = createRealtimeClient(ofAlice)
    again.open()
    await waitFor(async () => (await store.load()).length === 0)
    expect(requests.slice(asked)).toEqual(["publish"])
    const { messages } = await log.readAfter(room.name, 0, 10)
    expect(messages).toMatchObject([{ id, from: user }])
    expect(client.connection.status.state).toBe("failed")
    await Promise.all([client.close(), again.close()])
  })

  it("asks about the session when it is told to, and only where it has an owner", async () => {
    const { options, session } = setup()
    const clients = [user.id, undefined].map((owner) =>
      createRealtimeClient({ ...options(), ...(owner && { owner, outbox: inThisPage() }) }),
    )
    for (const client of clients) client.open()
    await waitFor(() => clients.every(({ connection }) => connection.status.state === "connected"))
    session.user = bob
    await Promise.all(clients.map((client) => client.checkSession()))
    expect(clients.map(({ connection }) => connection.status.state)).toEqual(["failed", "connected"])
    await Promise.all(clients.map((client) => client.close()))
  })

  it("says once in development why it has no connection and what to do, and nothing where it has one or is closed", async () => {
    const { options } = setup()
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {})
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
    const config = { ...options().config, providers: [{ provider: "socketio" }] }
    const create = (load: RealtimeClientOptions["providers"][string]) =>
      createRealtimeClient({ ...options(), config, providers: { socketio: load }, failover: {} })
    const nothing = async (): Promise<never> => {
      throw new Error("unplugged")
    }
    const open = async (client: ReturnType<typeof create>) => {
      client.open()
      await vi.advanceTimersByTimeAsync(10_000)
    }
    try {
      vi.stubEnv("NODE_ENV", "production")
      const inProduction = create(nothing)
      await open(inProduction)
      vi.stubEnv("NODE_ENV", "development")
      const working = create(options().providers.one ?? nothing)
      await open(working)
      const left = create(nothing)
      left.open()
      await left.close()
      await vi.advanceTimersByTimeAsync(10_000)
      expect(warn).not.toHaveBeenCalled()
      const silent = create(nothing)
      await open(silent)
      await silent.close()
      await open(silent)
      expect(warn.mock.calls).toEqual([
        [
          expect.stringMatching(
            /^\[realtime\] still reconnecting over socketio after 3 s \(.+\)\. If no gateway answers: /,
          ),
        ],
      ])
      await Promise.all([inProduction, working, silent].map((client) => client.close()))
    } finally {
      vi.useRealTimers()
      vi.unstubAllEnvs()
      warn.mockRestore()
    }
  })

  it("says so only after the app's route has answered, which compiles at first, or 30 s later where it never does", async () => {
    const { options } = setup()
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {})
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
    vi.stubEnv("NODE_ENV", "development")
    const compiled = Promise.withResolvers<void>()
    const asksAndFails: RealtimeClientOptions["providers"][string] =
      async () =>
      ({ credentials }) => {
        void credentials({}).catch(() => {})
        throw new RealtimeError("not-connected", { message: "unplugged" })
      }
    const create = (fetch: typeof globalThis.fetch) =>
      createRealtimeClient({
        ...options(),
        fetch,
        config: { ...options().config, providers: [{ provider: "socketio" }] },
        providers: { socketio: asksAndFails },
        failover: {},
      })
    const compiling = create(async () => {
      await compiled.promise
      return Response.json({})
    })
    const silent = create(() => new Promise(() => {}))
    const said = () => warn.mock.calls.map(([text]) => /after \d+ s/.exec(String(text))?.[0])
    try {
      compiling.open()
      await vi.advanceTimersByTimeAsync(20_000)
      expect(said()).toEqual([])
      compiled.resolve()
      await vi.advanceTimersByTimeAsync(2_900)
      expect(said()).toEqual([])
      await vi.advanceTimersByTimeAsync(200)
      expect(said()).toEqual(["after 23 s"])
      silent.open()
      await vi.advanceTimersByTimeAsync(32_000)
      expect(said()).toHaveLength(1)
      await vi.advanceTimersByTimeAsync(2_000)
      expect(said()).toEqual(["after 23 s", "after 33 s"])
      await Promise.all([compiling, silent].map((client) => client.close()))
    } finally {
      vi.useRealTimers()
      vi.unstubAllEnvs()
      warn.mockRestore()
    }
  })

  it("goes on to the next when a provider refuses what the server says of it, and ends with its words where there is none", async () => {
    const { options, server, deploy } = setup()
    let loads = 0
    const refusing = async () => {
      loads += 1
      return createPusherTransport
    }
    const create = (...deployed: string[]) => {
      server.running = deploy(...deployed)
      const { providers, ...rest } = options()
      return createRealtimeClient({ ...rest, providers: { ...providers, one: refusing } })
    }
    const alone = create("one")
    alone.open()
    await waitFor(() => alone.connection.status.state === "failed")
    expect(alone.connection.status.error).toMatchObject({ code: "invalid-config", provider: "pusher" })
    alone.connection.retry()
    await waitFor(() => loads === 2)
    await waitFor(() => alone.connection.status.state === "failed")
    await alone.close()
    const both = create("one", "two")
    both.open()
    await waitFor(() => both.connection.status.state === "connected")
    expect(both.connection.provider).toBe("two")
    await both.close()
  })

  it("refuses a configuration that none of its loaders fits", () => {
    const { options } = setup()
    expect(() => createRealtimeClient({ ...options(), providers: {} })).toThrow(
      'there is no loader for "one"',
    )
    const config = { ...options().config, providers: [] }
    expect(() => createRealtimeClient({ ...options(), config })).toThrow("there is no loader for no provider")
  })
})
