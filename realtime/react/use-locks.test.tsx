import { act, cleanup, render, screen, waitFor } from "@testing-library/react"
import { StrictMode } from "react"
import { afterEach, expect, it } from "vitest"
import { createClient } from "../client/create-client.ts"
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
