import "fake-indexeddb/auto"
import { cleanup, render, screen, waitFor } from "@testing-library/react"
import { afterEach, describe, expect, it, vi } from "vitest"
import type { User } from "../message.ts"
import { createMemoryTransport } from "../providers/memory/client.ts"
import { createMemoryHub } from "../providers/memory/hub.ts"
import { createThroughline, forgetUser, useConnection, useUser } from "./index.ts"

const config = {
  version: "1",
  basePath: "/api/realtime",
  maxPayloadBytes: 1_000,
  providers: [{ provider: "memory" }],
}
const alice = { id: "alice", name: "Alice" }
const bob = { id: "bob", name: "Bob" }
type Answer = () => Response | Promise<Response>
const answer = (user: User | null) => () => Response.json({ user })
const away = () => Promise.reject(new TypeError("offline"))

afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  localStorage.clear()
})

/** A page's layout and something below it, with a server that answers who is signed in, and then is away. */
function setup(...answers: Answer[]) {
  const hub = createMemoryHub({ authorize: async () => {}, maxPresenceMembers: 10 })
  const asked: string[] = []
  const counts = { made: 0 }
  const server: { else: Answer } = { else: () => Response.json({}) }
  vi.stubGlobal("fetch", async (input: string, init: RequestInit = {}) => {
    if (!input.endsWith("/session")) return server.else()
    asked.push(`${init.method} ${input}`)
    return (answers.shift() ?? away)()
  })
  const onError = vi.fn()
  const createTransport = () => {
    counts.made += 1
    return createMemoryTransport({ hub, user: alice, onError })
  }
  const Throughline = createThroughline({ memory: async () => ({ createTransport }) }, { onError })
  const Shown = () => <p>{`${useUser()?.name ?? "nobody"}: ${useConnection().state}`}</p>
  const page = (user?: User | null, shownConfig = config) => (
    <Throughline config={shownConfig} user={user}>
      <Shown />
    </Throughline>
  )
  return { page, answers, asked, counts, server, onError }
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

/** Whom the page below names, whatever its connection. */
const names = (name: string) => waitFor(() => expect(screen.getByText(new RegExp(`^${name}: `))).toBeTruthy())
const comesBack = () => window.dispatchEvent(new Event("online"))
/** What a page of before has left in this browser. */
async function leaveBehind(user: User): Promise<void> {
  render(setup(answer(user)).page())
  await names(user.name ?? user.id)
  cleanup()
}

describe("a page that can't ask who it is", () => {
  it("is of whom the server named the last time, until it names another", async () => {
    await leaveBehind(alice)
    const { page, answers, asked } = setup()
    render(page())
    await names("Alice")
    answers.push(answer(bob))
    comesBack()
    await shows("Bob: connected")
    expect(asked).toHaveLength(2)
    cleanup()
    render(setup().page())
    await names("Bob")
  })

  it("shows nobody's while the server may still answer", async () => {
    await leaveBehind(alice)
    const { page, asked } = setup(() => new Promise(() => {}))
    render(page())
    await waitFor(() => expect(asked).toHaveLength(1))
    expect(screen.getByText(/^nobody: /)).toBeTruthy()
  })

  it("keeps the connection when the server says that it is whom the browser remembers", async () => {
    await leaveBehind(alice)
    const { page, answers, asked, counts } = setup()
    render(page())
    await shows("Alice: connected")
    answers.push(answer(alice))
    comesBack()
    await waitFor(() => expect(asked).toHaveLength(2))
    await shows("Alice: connected")
    expect(counts.made).toBe(1)
  })

  it.each<[string, Answer]>([
    ["says that nobody is", answer(null)],
    [
      "doesn't want to say",
      () => Response.json({ error: { code: "unauthorized", message: "no" } }, { status: 401 }),
    ],
  ])("remembers nobody once the server %s", async (_, said) => {
    await leaveBehind(alice)
    const { page, answers } = setup()
    render(page())
    await names("Alice")
    answers.push(said)
    comesBack()
    await names("nobody")
    expect(localStorage).toHaveLength(0)
  })

  it.each([
    ["another", bob],
    ["nobody", null],
  ])("remembers nobody once a layout says that it is %s", async (_, given) => {
    await leaveBehind(alice)
    render(setup().page(given))
    await waitFor(() => expect(localStorage).toHaveLength(0))
  })

  it("hides whom it remembers as soon as the server refuses them to the connection", async () => {
    await leaveBehind(alice)
    const { page, server, asked } = setup()
    server.else = away
    render(page())
    await names("Alice")
    server.else = () =>
      Response.json({ error: { code: "session-changed", message: "another" } }, { status: 409 })
    comesBack()
    await names("nobody")
    expect(localStorage).toHaveLength(0)
    // It has asked twice in vain by then, and asks at once who it is instead.
    await waitFor(() => expect(asked).toHaveLength(3))
  })

  it("asks at once when another tab was told of somebody else", async () => {
    await leaveBehind(alice)
    const { page, answers } = setup()
    render(page())
    await names("Alice")
    answers.push(answer(bob))
    window.dispatchEvent(new StorageEvent("storage", { key: "throughline.user:/api/realtime" }))
    await names("Bob")
  })

  it("is nobody's after `forgetUser`, and in another app of the site", async () => {
    await leaveBehind(alice)
    const other = setup()
    render(other.page(undefined, { ...config, basePath: "/other/api/realtime" }))
    await waitFor(() => expect(other.onError).toHaveBeenCalled())
    expect(screen.getByText(/^nobody: /)).toBeTruthy()
    cleanup()
    forgetUser()
    const { page, onError } = setup()
    render(page())
    await waitFor(() => expect(onError).toHaveBeenCalled())
    expect(screen.getByText(/^nobody: /)).toBeTruthy()
  })

  it("is hydrated as the server has drawn it, whoever is remembered", async () => {
    // What nobody has answered yet is what a server draws, too.
    const drawn = render(setup(() => new Promise(() => {})).page()).container.innerHTML
    cleanup()
    await leaveBehind(alice)
    const { page } = setup()
    const container = document.body.appendChild(document.createElement("div"))
    container.innerHTML = drawn
    expect(container.textContent).toMatch(/^nobody: /)
    const onRecoverableError = vi.fn()
    render(page(), { container, hydrate: true, onRecoverableError })
    await names("Alice")
    expect(onRecoverableError).not.toHaveBeenCalled()
  })

  it("is told of a browser that keeps nothing, and goes on without", async () => {
    vi.spyOn(window, "localStorage", "get").mockImplementation(() => {
      throw new DOMException("refused", "SecurityError")
    })
    const { page, onError } = setup(answer(alice))
    render(page())
    await shows("Alice: connected")
    expect(onError).toHaveBeenCalledWith(expect.any(DOMException), { stage: "remember who is signed in" })
    cleanup()
    const next = setup()
    render(next.page())
    await waitFor(() => expect(next.onError).toHaveBeenCalledTimes(2))
    expect(screen.getByText(/^nobody: /)).toBeTruthy()
    expect(forgetUser).not.toThrow()
    vi.restoreAllMocks()
  })

  it("takes what somebody wrote there by hand for nobody", async () => {
    localStorage.setItem("throughline.user:/api/realtime", "{")
    const { page, onError } = setup()
    render(page())
    await waitFor(() => expect(onError).toHaveBeenCalledOnce())
    expect(screen.getByText(/^nobody: /)).toBeTruthy()
  })
})
