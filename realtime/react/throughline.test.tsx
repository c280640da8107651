import "fake-indexeddb/auto"
import { cleanup, render, screen, waitFor } from "@testing-library/react"
import { afterEach, describe, expect, it, vi } from "vitest"
import type { User } from "../message.ts"
import { createMemoryTransport } from "../providers/memory/client.ts"
import { createMemoryHub } from "../providers/memory/hub.ts"
import { createThroughline, useConnection, useUser } from "./index.ts"

const config = {
  version: "1",
  basePath: "/api/realtime",
  maxPayloadBytes: 1_000,
  providers: [{ provider: "memory" }],
}
const alice = { id: "alice", name: "Alice" }

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

/** A page's layout and something below it, with a server that answers who is signed in. */
function setup(...answers: (() => Response | Promise<Response>)[]) {
  const hub = createMemoryHub({ authorize: async () => {}, maxPresenceMembers: 10 })
  const asked: string[] = []
  const counts = { made: 0 }
  vi.stubGlobal("fetch", async (input: string, init: RequestInit = {}) => {
    if (!input.endsWith("/session")) return Response.json({}, { status: 200 })
    asked.push(`${init.method} ${input}`)
    return (answers.shift() ?? (() => Promise.reject(new TypeError("offline"))))()
  })
  const onError = vi.fn()
  const createTransport = () => {
    counts.made += 1
    return createMemoryTransport({ hub, user: alice, onError })
  }
  const Throughline = createThroughline({ memory: async () => ({ createTransport }) }, { onError })
  const Shown = () => (
    <p>
      {useUser()?.name ?? "nobody"}: {useConnection().state}
    </p>
  )
  const page = (user?: User | null, shownConfig = config) => (
    <Throughline config={shownConfig} user={user}>
      <Shown />
    </Throughline>
  )
  return { page, asked, counts, onError }
}

const shows = (text: string) => waitFor(() => expect(screen.getByText(text)).toBeTruthy())

describe("<Throughline>", () => {
  it("connects whom the layout says is signed in, and asks nobody", async () => {
    const { page, asked } = setup()
    render(page(alice))
    await shows("Alice: connected")
    expect(asked).toEqual([])
  })

  it("asks who it is where the layout doesn't say, and again when that was loaded again", async () => {
    const answer = (user: User | null) => () => Response.json({ user })
    const { page, asked } = setup(answer(alice), answer({ ...alice, name: "Al" }), answer(null))
    const view = render(page())
    await shows("Alice: connected")
    view.rerender(page(undefined, { ...config }))
    await shows("Al: connected")
    view.rerender(page(undefined, { ...config }))
    await waitFor(() => expect(screen.getByText(/^nobody/)).toBeTruthy())
    expect(asked).toEqual(Array(3).fill("POST /api/realtime/session"))
  })

  it("has no connection for nobody, and keeps what is below it when somebody comes", async () => {
    const { page, counts } = setup()
    const view = render(page(null))
    const shown = screen.getByText(/^nobody/)
    expect(counts.made).toBe(0)
    view.rerender(page(alice))
    await shows("Alice: connected")
    expect(screen.getByText("Alice: connected")).toBe(shown)
    expect(counts.made).toBe(1)
  })

  it("asks a server that is away again, and says so once; not one that refuses", async () => {
    const { page, onError, asked } = setup(
      () => new Response("<html>", { status: 502 }),
      () => Response.json({ user: alice }),
    )
    render(page())
    await shows("Alice: connected")
    expect(asked).toHaveLength(2)
    expect(onError).toHaveBeenCalledOnce()
    cleanup()

    const refusing = setup(() => new Response("<html>", { status: 404 }))
    render(refusing.page())
    await waitFor(() => expect(refusing.onError).toHaveBeenCalledOnce())
    expect(refusing.asked).toHaveLength(1)
  })

  it("tells of a provider that it has no loader for", () => {
    const { page } = setup()
    const other = { ...config, providers: [{ provider: "pigeon" }] }
    const silence = vi.spyOn(console, "error").mockImplementation(() => {})
    expect(() => render(page(alice, other))).toThrow(/no loader for "pigeon"/)
    silence.mockRestore()
  })
})
