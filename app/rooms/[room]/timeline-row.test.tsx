import { cleanup, render, renderHook, screen } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import type { ReactNode } from "react"
import { afterEach, describe, expect, it, vi } from "vitest"
import { createConversation, type RoomMessage } from "#lib/chat/conversation.ts"
import { type TimelineRow, toTimeline } from "#lib/chat/timeline.ts"
import messages from "#lib/i18n/messages/en.json"
import { TimelineRowView } from "./timeline-row.tsx"
import { useTimeZone } from "./use-time-zone.ts"

const inEnglish = ({ children }: { children: ReactNode }) => (
  <NextIntlClientProvider locale="en" messages={messages as never} timeZone="Asia/Tokyo">
    {children}
  </NextIntlClientProvider>
)
afterEach(() => {
  cleanup()
  vi.restoreAllMocks()
})

const state = { replied: null, isTabStop: false, isEditing: false, isHighlighted: false }

function rowOf(message: RoomMessage) {
  const { items } = createConversation({ id: "me", name: null })([message], [])
  const row = toTimeline({ items, gaps: [], timeZone: "UTC" }).find(({ kind }) => kind !== "day")
  if (!row) throw new Error("there is no row")
  return row
}

describe("a message of an event that the page doesn't know, as a later release may bring", () => {
  it.each(["polled", "constructor"])("such as %s, is said to be there", (event) => {
    const failures = vi.spyOn(console, "error")
    const at = 0
    const message = {
      ...{ id: "1", channel: "room:1", seq: 1, epoch: "e", at },
      event,
      payload: {},
      from: null,
    }
    const row = rowOf(message as unknown as RoomMessage)
    render(<TimelineRowView row={row} now={at} timeZone="UTC" {...state} />, { wrapper: inEnglish })
    expect(screen.getByText(messages.messages.newer)).toBeTruthy()
    expect(failures).not.toHaveBeenCalled()
  })
})

describe("who joined one after the other", () => {
  it.each([
    [["Aki"], "Aki joined."],
    [["Aki", "Ben", "Chie"], "Aki, Ben, and Chie joined."],
    [["Aki", "Ben", "Chie", "Dan"], "Aki, Ben and 2 others joined."],
  ])("%j are said in one line: %s", (names, line) => {
    const messages = names.map((name) => ({ event: "member-joined", payload: {}, from: { id: name, name } }))
    const row = { kind: "system", key: "1", messages } as unknown as TimelineRow
    const { container } = render(<TimelineRowView row={row} now={0} timeZone="UTC" {...state} />, {
      wrapper: inEnglish,
    })
    expect(container.textContent?.replace(/[\u2068\u2069]/g, "")).toBe(line)
  })
})

describe("who was put out of a room", () => {
  const person = { id: "bob", name: "Bob" }
  it.each<[string, Pick<RoomMessage, "event" | "payload" | "from">, string]>([
    ["is named", { event: "member-put-out", payload: {}, from: person }, "Bob was removed from the room."],
    [
      "is named beside the owner, by what a release before said of it",
      { event: "member-removed", payload: { person }, from: { id: "alice", name: "Alice" } },
      "Alice removed Bob.",
    ],
    [
      "is somebody where they had no name",
      {
        event: "member-removed",
        payload: { person: { ...person, name: "" } },
        from: { id: "alice", name: "Alice" },
      },
      "Alice removed Somebody.",
    ],
  ])("%s", (_, said, line) => {
    const message = { id: "1", channel: "room:1", seq: 1, epoch: "e", at: 0, ...said } as RoomMessage
    const { container } = render(<TimelineRowView row={rowOf(message)} now={0} timeZone="UTC" {...state} />, {
      wrapper: inEnglish,
    })
    // Names are set apart, whichever way they are written.
    expect(container.textContent?.replace(/[\u2068\u2069]/g, "")).toBe(line)
  })
})

describe("the line above a day", () => {
  const day = (at: string, now: string, timeZone: string): string | null => {
    const row = { kind: "day", key: "day", at: Date.parse(at) } as const
    render(<TimelineRowView row={row} now={Date.parse(now)} timeZone={timeZone} {...state} />, {
      wrapper: inEnglish,
    })
    const { textContent } = screen.getByTestId("day")
    cleanup()
    return textContent
  }
  const { today, yesterday } = messages.messages

  it("says yesterday of the day before, however long that was", () => {
    // In Berlin the 29th of March 2026 has 23 hours, the 25th of October 25.
    expect(day("2026-03-29T10:00Z", "2026-03-29T22:30Z", "Europe/Berlin")).toBe(yesterday)
    expect(day("2026-03-28T22:30Z", "2026-03-29T22:30Z", "Europe/Berlin")).toBe("Saturday, March 28, 2026")
    expect(day("2026-10-24T10:00Z", "2026-10-25T22:30Z", "Europe/Berlin")).toBe(yesterday)
    expect(day("2026-10-24T22:30Z", "2026-10-25T22:30Z", "Europe/Berlin")).toBe(today)
  })

  it("counts days where the reader is", () => {
    expect(day("2026-11-28T15:00Z", "2026-11-29T14:59Z", "Asia/Tokyo")).toBe(today)
    expect(day("2026-11-28T14:59Z", "2026-11-28T15:00Z", "Asia/Tokyo")).toBe(yesterday)
    expect(day("2026-11-28T14:59Z", "2026-11-28T15:00Z", "UTC")).toBe(today)
  })
})

describe("where the reader is", () => {
  const inBrowserOf = (timeZone: string | undefined) => {
    const { resolvedOptions } = Intl.DateTimeFormat.prototype
    vi.spyOn(Intl.DateTimeFormat.prototype, "resolvedOptions").mockImplementation(function (
      this: Intl.DateTimeFormat,
    ) {
      const options = resolvedOptions.call(this)
      // What was asked for by name is what it is; only the browser's own is another.
      return options.timeZone === process.env.TZ ? { ...options, timeZone: timeZone as string } : options
    })
    return renderHook(useTimeZone, { wrapper: inEnglish }).result.current
  }

  it.each([
    ["America/New_York", "America/New_York"],
    ["Etc/Unknown", "UTC"],
    [undefined, "UTC"],
  ])("a browser that says %s is in %s, and tells the server so", (said, zone) => {
    vi.stubEnv("TZ", "Pacific/Chatham")
    expect(inBrowserOf(said)).toBe(zone)
    expect(document.cookie).toContain(`time_zone=${zone}`)
    expect(new Intl.DateTimeFormat("en", { timeZone: zone, timeStyle: "short" }).format(0)).toMatch(/\d:\d\d/)
  })
})
