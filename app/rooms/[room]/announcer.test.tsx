import { act, cleanup, render, screen } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { createConversation, type PendingRoomMessage, type RoomMessage } from "#lib/chat/conversation.ts"
import messages from "#lib/i18n/messages/en.json"
import { Announcer } from "./announcer.tsx"

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

const me = { id: "me", name: "Me" }
const own = { id: "1", event: "text-sent", payload: { text: "hello" }, at: 0 } as const

function setup() {
  const fold = createConversation(me)
  const page = (log: readonly RoomMessage[], pending: readonly PendingRoomMessage[]) => (
    <NextIntlClientProvider locale="en" messages={messages as never}>
      <Announcer conversation={fold(log, pending)} pending={pending} myId={me.id} />
    </NextIntlClientProvider>
  )
  const { rerender } = render(page([], []))
  return {
    /** One's own message is in this state, for so long. */
    async is(state: PendingRoomMessage["state"], ms: number) {
      rerender(page([], [{ ...own, state }]))
      await act(() => vi.advanceTimersByTimeAsync(ms))
    },
    async arrives() {
      rerender(page([{ ...own, seq: 1, epoch: "e", from: me } as unknown as RoomMessage], []))
      await act(() => vi.advanceTimersByTimeAsync(2_000))
    },
    said: () => screen.getByTestId("announcer").textContent,
  }
}

it.each([
  ["sending", 100],
  ["sending", 3_000],
  ["sent", 100],
  ["sent", 3_000],
] as const)("says that what waited is sent, also where it was %s for %i ms", async (state, ms) => {
  const { is, arrives, said } = setup()
  await is("queued", 2_000)
  expect(said()).toBe("Waiting to be sent: hello")
  // Something else is gathered meanwhile.
  await is("queued", 500)
  await is(state, ms)
  await arrives()
  expect(said()).toBe("Sent: hello")
})

it("says nothing of what is sent at once", async () => {
  const { is, arrives, said } = setup()
  await is("sending", 3_000)
  await arrives()
  expect(said()).toBe("")
})
