import { act, cleanup, fireEvent, render, screen } from "@testing-library/react"
import { HttpResponse, http } from "msw"
import { setupServer } from "msw/node"
import { NextIntlClientProvider } from "next-intl"
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest"
import messages from "#lib/i18n/messages/en.json"
import { MeContext } from "../../_components/chat-provider.tsx"
import { RemoveDialog } from "./remove-dialog.tsx"
import { RoomPeopleProvider } from "./room-people.tsx"

// In a browser these are requests to the server.
vi.mock("../../actions.ts", () => ({ removeMember: async () => true, letMemberIn: async () => true }))

const server = setupServer(http.get("*/api/chat/people", () => HttpResponse.json({ people: [] })))
beforeAll(() => server.listen())
afterAll(() => server.close())
afterEach(cleanup)

const { rooms } = messages
const [me, ben, cy] = [
  { id: "me", name: "Me" },
  { id: "2", name: "Ben" },
  { id: "3", name: "Cy" },
]
const secret = { id: "1", name: "Secret", isPrivate: true, ownerId: me.id }

const withPresent = (...present: (typeof me)[]) => (
  <NextIntlClientProvider locale="en" messages={messages as never} timeZone="UTC">
    <MeContext value={me}>
      <RoomPeopleProvider roomId="1" present={present.map((user) => ({ user }))} messages={[]}>
        <RemoveDialog room={secret} isOpen onOpenChange={() => {}} />
      </RoomPeopleProvider>
    </MeContext>
  </NextIntlClientProvider>
)
const plain = (text: string | null | undefined) => text?.replace(/[\u2066-\u2069]/g, "")
const listed = () =>
  screen
    .queryAllByRole("listitem", { hidden: true })
    .map((item) => plain(item.querySelector("span.truncate")?.textContent))
const button = (name: string) =>
  screen
    .getAllByRole("button", { hidden: true })
    .find((each) => plain(each.getAttribute("aria-label")) === name)

it("hides whom one has put out until the server's list is without them, and no longer", async () => {
  const { rerender } = render(withPresent(me, ben, cy))
  expect(listed()).toEqual(["Ben", "Cy"])
  fireEvent.click(button(rooms.removePerson.replace("{name}", "Ben")) as HTMLElement)
  await act(async () => {
    const confirm = screen.getAllByRole("button", { name: rooms.removeConfirm, hidden: true }).at(-1)
    fireEvent.click(confirm as HTMLElement)
  })
  await vi.waitFor(() => expect(listed()).toEqual(["Cy"]), { timeout: 15_000 })
  rerender(withPresent(me, { ...ben, name: "Benjamin" }, cy))
  expect(listed()).toEqual(["Cy"])
  // They are out, and come back by a new invitation.
  rerender(withPresent(me, cy))
  rerender(withPresent(me, ben, cy))
  expect(listed()).toEqual(["Ben", "Cy"])
})
