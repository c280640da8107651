import { cleanup, fireEvent, render, screen } from "@testing-library/react"
import { HttpResponse, http } from "msw"
import { setupServer } from "msw/node"
import { NextIntlClientProvider } from "next-intl"
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest"
import messages from "#lib/i18n/messages/en.json"
import { waitFor } from "../../../realtime/testing/wait-for.ts"
import { MeContext } from "../../_components/chat-provider.tsx"
import { LeaveDialog } from "./leave-dialog.tsx"

// In a browser these are requests to the server.
vi.mock("../../actions.ts", () => ({ leaveRoom: async () => null, letEverybodyIn: async () => true }))

/** What the server answers when it is asked for those kept out, once for each time. */
let answers: PromiseWithResolvers<Response>[] = []
const server = setupServer(
  http.get("*/api/chat/kept-out", () => {
    const answer = Promise.withResolvers<Response>()
    answers.push(answer)
    return answer.promise as Promise<HttpResponse<null>>
  }),
)
beforeAll(() => server.listen())
beforeEach(() => {
  answers = []
})
afterAll(() => server.close())
afterEach(cleanup)

const { rooms } = messages
const me = { id: "me", name: "Me" }
const mine = { id: "1", name: "Ferry", isPrivate: false, ownerId: me.id }
const ben = { id: "2", name: "Ben" }

const dialogOf = (room: typeof mine, isOpen = true) => (
  <NextIntlClientProvider locale="en" messages={messages as never} timeZone="UTC">
    <MeContext value={me}>
      <LeaveDialog room={room} isOpen={isOpen} onOpenChange={() => {}} />
    </MeContext>
  </NextIntlClientProvider>
)
const canLeave = () =>
  !screen.getByRole<HTMLButtonElement>("button", { name: rooms.leave, hidden: true }).disabled
const letIn = () => screen.queryByRole<HTMLInputElement>("checkbox", { name: rooms.leaveLetIn, hidden: true })

it("lets an owner go once they know of those kept out, each time that it is opened", async () => {
  const { rerender } = render(dialogOf(mine))
  expect([canLeave(), letIn()]).toEqual([false, null])
  await waitFor(() => answers.length === 1)
  answers[0]?.resolve(HttpResponse.json({ people: [ben] }))
  fireEvent.click(await screen.findByRole("checkbox", { hidden: true }))
  expect([canLeave(), letIn()?.checked]).toEqual([true, true])

  rerender(dialogOf(mine, false))
  rerender(dialogOf(mine))
  expect([canLeave(), letIn()]).toEqual([false, null])
  await waitFor(() => answers.length === 2)
  answers[1]?.resolve(HttpResponse.json({ people: [ben] }))
  await screen.findByRole("checkbox", { hidden: true })
  expect([canLeave(), letIn()?.checked]).toEqual([true, false])
})

it.each([
  ["there is nobody", () => HttpResponse.json({ people: [] }), false],
  ["they can't be had", () => HttpResponse.json({}, { status: 500 }), true],
])("lets an owner go where %s", async (_, answer, isTold) => {
  render(dialogOf(mine))
  await waitFor(() => answers.length === 1)
  expect(canLeave()).toBe(false)
  answers[0]?.resolve(answer())
  await vi.waitFor(() => expect(canLeave()).toBe(true), { timeout: 15_000 })
  expect(screen.queryByText(rooms.leaveKeptOutUnknown) !== null).toBe(isTold)
})

it.each([
  ["another's room", { ...mine, ownerId: "2" }],
  ["a private room", { ...mine, isPrivate: true }],
])("lets anybody out of %s at once", (_, room) => {
  render(dialogOf(room))
  expect([canLeave(), letIn(), answers.length]).toEqual([true, null, 0])
})
