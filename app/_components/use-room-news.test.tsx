import { cleanup, render, screen } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import { afterEach, expect, it, vi } from "vitest"
import type { ListedRoom } from "#lib/chat/rooms.ts"
import messages from "#lib/i18n/messages/en.json"
import { me, startActivity } from "../testing/activity.ts"
import { MeContext } from "./chat-provider.tsx"
import { ActivityContext } from "./room-activity.tsx"
import { ToastRegion } from "./toast.tsx"
import { useRoomNews } from "./use-room-news.ts"

const refresh = vi.hoisted(() => vi.fn())
vi.mock("next/navigation", () => ({ useRouter: () => ({ refresh }), useParams: () => ({}) }))

/** However slow the machine: this only ends what hangs. */
const patience = { timeout: 15_000 }
const harbour: ListedRoom = { id: "1", name: "Harbour", isPrivate: true, ownerId: "2", isMember: true }

function News({ rooms }: { rooms: readonly ListedRoom[] }) {
  useRoomNews(rooms)
  return null
}

/** A page with this list of rooms, and what it is told. */
const pageOf =
  ({ store }: Awaited<ReturnType<typeof startActivity>>) =>
  (rooms: readonly ListedRoom[]) => (
    <NextIntlClientProvider locale="en" messages={messages as never}>
      <MeContext value={me}>
        <ActivityContext value={store}>
          <News rooms={rooms} />
          <ToastRegion />
        </ActivityContext>
      </MeContext>
    </NextIntlClientProvider>
  )

afterEach(cleanup)

it("says that one is in a room no more, where nobody ended it", async () => {
  await using activity = await startActivity()
  const page = pageOf(activity)
  const { rerender } = render(page([]))
  rerender(page([harbour]))
  expect(screen.getByRole("status").textContent).toBe("")
  rerender(page([]))
  const told = await screen.findByText(/Harbour/, {}, patience)
  expect(told.textContent?.replace(/[\u2066-\u2069]/g, "")).toBe(
    messages.rooms.notIn.replace("{room}", "Harbour"),
  )
})

it("says that a room was ended, and asks for the list, also where the list is without it before the room tells", async () => {
  await using activity = await startActivity()
  const page = pageOf(activity)
  const { rerender } = render(page([harbour]))
  rerender(page([]))
  expect(refresh).not.toHaveBeenCalled()
  await activity.endRoom()
  const told = await screen.findByText(/Harbour/, {}, patience)
  expect(told.textContent?.replace(/[\u2066-\u2069]/g, "")).toBe(
    messages.rooms.deleted.replace("{room}", "Harbour"),
  )
  expect(refresh).toHaveBeenCalled()
})
