import { cleanup, fireEvent, render, screen, within } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import { RealtimeProvider } from "throughline/react"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { room } from "#lib/chat/channels.ts"
import { createDrafts, emptyDraft } from "#lib/chat/drafts.ts"
import messages from "#lib/i18n/messages/en.json"
import { waitFor } from "../../../realtime/testing/wait-for.ts"
import { MeContext } from "../../_components/chat-provider.tsx"
import { NoticeInShell } from "../../_components/notice-in-shell.tsx"
import { ActivityContext } from "../../_components/room-activity.tsx"
import { me, startActivity } from "../../testing/activity.ts"
import { KeptWriting } from "./kept-writing.tsx"

vi.mock("next/navigation", () => ({ useParams: () => ({ room: "1" }) }))

const drafts = createDrafts(me.id)
const target = "018f0000-0000-7000-8000-000000000000"
const { keptDraft, keptDraftLabel, keptEditLabel, keptUnsentLabel } = messages.rooms

beforeEach(() => {
  localStorage.clear()
  sessionStorage.clear()
})
afterEach(cleanup)

const show = ({ client, store }: Awaited<ReturnType<typeof startActivity>>, user: typeof me | null = me) =>
  render(
    <NextIntlClientProvider locale="en" messages={messages as never}>
      <MeContext value={user}>
        <RealtimeProvider client={client}>
          <ActivityContext value={store}>
            <NoticeInShell title="title" lead="lead">
              <KeptWriting />
            </NoticeInShell>
          </ActivityContext>
        </RealtimeProvider>
      </MeContext>
    </NextIntlClientProvider>,
  )

/** Under which names what texts stand. */
const shown = () =>
  screen
    .queryAllByRole<HTMLTextAreaElement>("textbox")
    .map((field) => [field.getAttribute("aria-label"), field.value])

const discard = (index: number) => {
  const group = screen.getAllByRole("group")[index] as HTMLElement
  fireEvent.click(within(group).getByRole("button", { name: messages.messages.discard }))
}

it("shows whoever is put out all that they wrote there and that nobody got, to be copied or thrown away", async () => {
  await using activity = await startActivity({ isIn: false })
  const { outbox } = activity.client.channel(room({ room: "1" }))
  outbox.add("text-sent", { text: "written without a network" })
  outbox.add("message-edited", { target, text: "changed without a network" })
  outbox.add("reaction-set", { target, emoji: "👍", isOn: true })
  drafts.writeEdit("1", { id: target, seq: 1, base: "before", text: "after", chosen: [] })
  drafts.write("1", { text: "half a sentence", chosen: [] })
  drafts.write("2", { text: "of another room", chosen: [] })
  show(activity)
  const all = [
    [keptUnsentLabel, "written without a network"],
    [keptEditLabel, "changed without a network"],
    [keptEditLabel, "after"],
    [keptDraftLabel, "half a sentence"],
  ]
  expect(shown()).toEqual(all)
  // The server says no to what was waiting: it is theirs all the same.
  await waitFor(() => outbox.messages.every(({ state }) => state === "refused"))
  expect(shown()).toEqual(all)

  discard(3)
  expect([shown(), drafts.read("1")]).toEqual([all.slice(0, 3), emptyDraft])
  discard(2)
  expect([shown(), drafts.readEdit("1")]).toEqual([all.slice(0, 2), null])
  discard(0)
  expect(document.activeElement).toBe(screen.getByRole("region", { name: keptDraft }))
  discard(0)
  expect(outbox.messages.map(({ event }) => event)).toEqual(["reaction-set"])
  expect(shown()).toEqual([])
  expect(screen.queryByText(keptDraft)).toBeNull()
  // What was focused is gone: the keyboard goes on from where it was.
  expect(document.activeElement).toBe(screen.getByRole("main"))
})

it("says nothing where there is nothing, nor to nobody", async () => {
  await using activity = await startActivity()
  drafts.write("1", { text: "\u200b", chosen: [] })
  drafts.writeEdit("1", { id: target, seq: 1, base: "same", text: "same", chosen: [] })
  const { unmount } = show(activity)
  expect(shown()).toEqual([])
  expect(screen.queryByText(keptDraft)).toBeNull()
  unmount()
  drafts.write("1", { text: "half a sentence", chosen: [] })
  show(activity, null)
  expect(shown()).toEqual([])
  expect(screen.queryByText(keptDraft)).toBeNull()
})

it.each([
  ["a".repeat(30), 1],
  ["a".repeat(31), 2],
  ["日".repeat(15), 1],
  ["日".repeat(16), 2],
  ["한\n日本語", 2],
  ["日".repeat(200), 4],
])("gives %s its rows on the narrowest phone, whatever it is written in", async (text, rows) => {
  await using activity = await startActivity()
  drafts.write("1", { text, chosen: [] })
  show(activity)
  expect(screen.getByRole<HTMLTextAreaElement>("textbox").rows).toBe(rows)
})
