import { act, cleanup, render, screen, waitFor } from "@testing-library/react"
import { StrictMode } from "react"
import { afterEach, expect, it, vi } from "vitest"
import * as z from "zod/mini"
import { defineChannel } from "../channel.ts"
import { createClient } from "../client/create-client.ts"
import { type LocksDefinition, lockMessages } from "../locks.ts"
import type { User } from "../message.ts"
import { contractChannels, createContractHttp } from "../testing/index.ts"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import { freshName } from "../testing/transport-contract/check.ts"
import { UserContext } from "./context.ts"
import { RealtimeProvider, useLocks, usePresence } from "./index.ts"

afterEach(cleanup)

const ref = contractChannels.locks({ locks: freshName("locks") })
type Locks = NonNullable<ReturnType<typeof useLocks>>

const shows = (text: string) => waitFor(() => expect(screen.getByText(text)).toBeTruthy())

it("shows who holds a lock, and whose turn it is then", async () => {
  await using backend = await startMemoryBackend()
  const held = new Map<string, Locks[]>()
  const last = ({ id }: User) => held.get(id)?.at(-1) as Locks

  function Page({ user }: { user: User }) {
    usePresence(ref, { mood: "here" })
    const locks = useLocks(ref)
    if (locks) held.set(user.id, [...(held.get(user.id) ?? []), locks])
    const token = locks?.token("title") ?? null
    return (
      <p>
        {user.id}: {locks?.holder("title")?.user.id ?? "nobody"}, {token === null ? "looks" : "writes"}
      </p>
    )
  }
  const clientOf = (user: User) =>
    createClient({
      transport: () => backend.createTransport(user),
      http: createContractHttp(backend.realtime, user),
      onError() {},
    })
  const [alice, bob] = [{ id: "alice" }, { id: "bob" }]
  const pages = [alice, bob].map((user) => ({ user, client: clientOf(user) }))
  const view = render(
    <StrictMode>
      {pages.map(({ user, client }) => (
        <UserContext value={user} key={user.id}>
          <RealtimeProvider client={client}>
            <Page user={user} />
          </RealtimeProvider>
        </UserContext>
      ))}
    </StrictMode>,
  )
  await shows("alice: nobody, looks")
  await act(async () => void (await last(alice).claim("title")))
  await shows("alice: alice, writes")
  await shows("bob: alice, looks")
  const before = last(bob)
  const turn = last(bob).claim("title")
  await act(async () => last(alice).release("title"))
  await shows("alice: bob, looks")
  await shows("bob: bob, writes")
  expect(await turn).toBe(last(bob).token("title"))
  expect(last(bob)).not.toBe(before)
  const late = last(alice)
    .claim("title")
    .catch(({ code }) => code)
  await waitFor(() => expect(last(alice).claims).toHaveLength(2))
  view.unmount()
  expect(await late).toBe("not-connected")
})

const said = { said: z.string() }
it.each([
  ["messages: lockMessages", defineChannel("room", { messages: said, presence: z.object({}) })],
  ["presence", defineChannel("room", { messages: { ...lockMessages, ...said } })],
])("says what the definition of a channel lacks: `%s`", async (lacks, definition) => {
  await using backend = await startMemoryBackend()
  const client = createClient({
    transport: () => backend.createTransport({ id: "alice" }),
    http: createContractHttp(backend.realtime, { id: "alice" }),
  })
  function Page() {
    // As JavaScript calls it, or whoever has got past the compiler.
    useLocks(definition() as unknown as Parameters<typeof useLocks<LocksDefinition>>[0])
    return null
  }
  // React says it there, too.
  using _ = vi.spyOn(console, "error").mockImplementation(() => {})
  const open = () =>
    render(
      <RealtimeProvider client={client}>
        <Page />
      </RealtimeProvider>,
    )
  expect(open).toThrow(new TypeError(`unable to use locks of "room"; its definition lacks \`${lacks}\``))
})
