import { cleanup, createEvent, fireEvent, render, screen, within } from "@testing-library/react"
import { HttpResponse, http } from "msw"
import { setupServer } from "msw/node"
import { NextIntlClientProvider } from "next-intl"
import type { ComponentProps, ReactNode } from "react"
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { room } from "#lib/chat/channels.ts"
import messages from "#lib/i18n/messages/ja.json"
import { MeContext } from "../../_components/chat-provider.tsx"
import { Composer } from "./composer.tsx"
import { EditField } from "./edit-field.tsx"
import { RoomPeopleProvider } from "./room-people.tsx"

const people = [
  { id: "me", name: "私" },
  { id: "1", name: "アキ" },
  { id: "2", name: "秋元" },
  { id: "3", name: "Ben" },
  { id: "4", name: "Ben" },
  { id: "5", name: "Cy Young" },
]

const server = setupServer(http.get("*/api/chat/people", () => HttpResponse.json({ people: [] })))
beforeAll(() => server.listen())
/** jsdom has no devices: what it answers to the question for a finger and nothing finer. */
let isTouch = false
beforeEach(() => {
  localStorage.clear()
  isTouch = false
  const answer = () => Object.assign(new EventTarget(), { matches: isTouch })
  window.matchMedia = answer as unknown as typeof window.matchMedia
})
afterEach(cleanup)

const show = (children: ReactNode, me = "me") => render(wrapped(children, me))

function wrapped(children: ReactNode, me = "me") {
  const present = people.map((user) => ({ user }))
  return (
    <NextIntlClientProvider locale="ja" messages={messages as never} timeZone="UTC">
      <MeContext value={{ id: me, name: "私" }}>
        <RoomPeopleProvider roomId="1" present={present} messages={[]}>
          {children}
        </RoomPeopleProvider>
      </MeContext>
    </NextIntlClientProvider>
  )
}

/** Puts a text into the field, the cursor behind it, as typing does. */
function write(value: string) {
  const field = screen.getByRole<HTMLTextAreaElement>("textbox")
  fireEvent.change(field, { target: { value } })
}

/** Whether the field kept the key for itself. */
function press(key: string, init: object = {}): boolean {
  const field = screen.getByRole<HTMLTextAreaElement>("textbox")
  const event = createEvent.keyDown(field, { key, ...init })
  fireEvent(field, event)
  return event.defaultPrevented
}

function setup(props: Partial<ComponentProps<typeof Composer>> & { me?: string; roomId?: string } = {}) {
  const { me, ...rest } = props
  const sent: { text: string; mentions: string[] }[] = []
  show(<Composer roomId="1" onSend={(message) => sent.push(message)} {...rest} />, me)
  const field = screen.getByRole<HTMLTextAreaElement>("textbox")
  return { sent, texts: () => sent.map(({ text }) => text), field }
}

describe("the composer", () => {
  it("sends on Enter, trimmed, and is empty then", () => {
    const { texts, field } = setup()
    write("  こんにちは \n")
    press("Enter")
    expect(texts()).toEqual(["こんにちは"])
    expect(field.value).toBe("")
  })

  it("doesn't send what nobody could see", () => {
    const { sent } = setup()
    write("\u200b\u3164 \u2800")
    press("Enter")
    expect(sent).toEqual([])
  })

  it("sets apart the name of whom one answers, where it is written the other way", () => {
    const replyTo = { sender: { id: "9", name: "أحمد" }, text: "hello" }
    setup({ replyTo, onCancelReply() {} })
    const preview = screen.getByTestId("reply-preview")
    expect(preview.textContent).toContain(messages.composer.replyTo.replace("{name}", "\u2068أحمد\u2069"))
  })

  it("doesn't send on the Enter that ends a conversion, in any browser", () => {
    const { sent, field } = setup()
    write("にほんご")
    press("Enter", { isComposing: true })
    press("Enter", { keyCode: 229 })
    expect(sent).toEqual([])
    expect(field.value).toBe("にほんご")
  })

  it("leaves Shift and Enter to the line break", () => {
    const { sent } = setup()
    write("one")
    expect(press("Enter", { shiftKey: true })).toBe(false)
    expect(sent).toEqual([])
  })

  it("breaks the line on Enter where there are no keys but those on the screen", () => {
    isTouch = true
    const { sent, field } = setup()
    write("one")
    expect(press("Enter")).toBe(false)
    expect(sent).toEqual([])
    expect(field.getAttribute("enterkeyhint")).toBe("enter")
    fireEvent.click(screen.getByRole("button", { name: messages.composer.send }))
    expect(sent).toEqual([{ text: "one", mentions: [] }])
  })

  it("sends nothing empty and nothing too long, and says how much too long", () => {
    const { sent, field } = setup()
    write("   ")
    press("Enter")
    write("x".repeat(4003))
    press("Enter")
    expect(sent).toEqual([])
    expect(screen.getByText("3文字超過しています（4,000文字まで）")).toBeTruthy()
    expect(field.getAttribute("aria-invalid")).toBe("true")
    write("x".repeat(4000))
    press("Enter")
    expect(sent).toHaveLength(1)
  })

  it("counts near the limit, and says so aloud at steps only", () => {
    setup()
    const said = () =>
      screen
        .getAllByRole("status")
        .map(({ textContent }) => textContent)
        .join("")
    write("x".repeat(3799))
    expect(said()).toBe("")
    write("x".repeat(3801))
    expect(screen.getByText("残り199文字")).toBeTruthy()
    expect(said()).toBe("残り200文字")
    write("x".repeat(3840))
    expect(said()).toBe("残り200文字")
  })

  it("counts an emoji as one character, as the server does", () => {
    const { sent } = setup()
    write("👍".repeat(4001))
    press("Enter")
    expect(screen.getByText("1文字超過しています（4,000文字まで）")).toBeTruthy()
    expect(sent).toEqual([])
    write("👍".repeat(4000))
    press("Enter")
    expect(sent).toHaveLength(1)
    const isAccepted = (text: string) => room.messages["text-sent"].safeParse({ text }).success
    expect(isAccepted("👍".repeat(4000))).toBe(true)
    expect(isAccepted("👍".repeat(4001))).toBe(false)
  })

  it("sends files without a text, and nothing while they are on their way", () => {
    const files = setup({ hasFiles: true })
    press("Enter")
    expect(files.texts()).toEqual([""])
    cleanup()
    const { sent } = setup({ hasFiles: true, isWaiting: true })
    write("text")
    expect(screen.queryByText(messages.composer.waiting)).toBeNull()
    press("Enter")
    expect(sent).toEqual([])
    expect(screen.getByText(messages.composer.waiting).getAttribute("role")).toBe("status")
  })

  it("goes to the last message on ArrowUp where nothing is written, and only there", () => {
    let asked = 0
    setup({ onEditLast: () => asked++ })
    expect(press("ArrowUp", { isComposing: true })).toBe(false)
    expect(press("ArrowUp")).toBe(true)
    expect(asked).toBe(1)
    write("text")
    expect(press("ArrowUp")).toBe(false)
    expect(asked).toBe(1)
  })

  it("shows what is answered, and lets go of it by Esc or the button", () => {
    let cancelled = 0
    setup({
      replyTo: { sender: { id: "aki", name: "アキ" }, text: "元の文" },
      onCancelReply: () => cancelled++,
    })
    const preview = within(screen.getByTestId("reply-preview"))
    expect(preview.getByText("元の文")).toBeTruthy()
    press("Escape", { isComposing: true })
    expect(cancelled).toBe(0)
    press("Escape")
    fireEvent.click(preview.getByRole("button"))
    expect(cancelled).toBe(2)
  })
})

describe("a draft", () => {
  it("is kept for its room, with whom it mentions, until it is sent", () => {
    setup()
    write("@ben")
    press("Enter")
    cleanup()
    expect(setup({ roomId: "2" }).field.value).toBe("")
    cleanup()
    const { field, sent } = setup()
    expect(field.value).toBe("@Ben ")
    press("Enter")
    expect(sent).toEqual([{ text: "@Ben", mentions: ["3"] }])
    cleanup()
    expect(setup().field.value).toBe("")
  })

  it("isn't found by whoever signs in next, and is gone then", () => {
    setup()
    write("private")
    sessionStorage.setItem("throughline.files.me.1", "[]")
    cleanup()
    expect(setup({ me: "2" }).field.value).toBe("")
    // Nor what was attached to it.
    expect(Object.keys(sessionStorage)).toEqual([])
    cleanup()
    expect(setup().field.value).toBe("")
  })

  it("that is damaged is none", () => {
    localStorage.setItem("throughline.draft.me.1", '{"text":1}')
    expect(setup().field.value).toBe("")
  })
})

describe("after an @", () => {
  const offered = () => screen.queryAllByRole("option").map(({ textContent }) => textContent)
  const marked = () => screen.queryByRole("option", { selected: true })?.textContent

  it("everybody is offered but oneself, by the beginning of the name in either kana", () => {
    setup()
    write("ねえ @")
    expect(offered()).toHaveLength(5)
    write("ねえ @あ")
    expect(offered()).toEqual([expect.stringContaining("アキ")])
    write("ねえ ＠c")
    expect(offered()).toEqual([expect.stringContaining("Cy Young")])
    write("ねえ @cy y")
    expect(offered()).toHaveLength(1)
    for (const text of ["mail@be", "@ be", "@nobody"]) {
      write(text)
      expect(offered()).toEqual([])
    }
  })

  it("arrows choose, Enter and Tab insert, and the next Enter sends", () => {
    const { sent, field } = setup()
    write("@")
    expect(marked()).toContain("アキ")
    press("ArrowDown")
    expect(field.getAttribute("aria-activedescendant")).toBe(
      screen.getByRole("option", { selected: true }).id,
    )
    expect(marked()).toContain("秋元")
    press("ArrowUp")
    press("ArrowUp")
    expect(marked()).toContain("Cy Young")
    press("Tab")
    expect(field.value).toBe("@Cy Young ")
    expect(offered()).toEqual([])
    press("Enter")
    expect(sent).toEqual([{ text: "@Cy Young", mentions: ["5"] }])
  })

  it("keys belong to the input method while it composes", () => {
    const { field, sent } = setup()
    write("@あ")
    for (const key of ["Enter", "Tab", "ArrowDown", "Escape"]) press(key, { isComposing: true })
    expect(offered()).toHaveLength(1)
    expect(field.value).toBe("@あ")
    expect(sent).toEqual([])
  })

  it("Esc closes the list and nothing else, and what was written is sent as it is", () => {
    let cancelled = 0
    const { sent } = setup({
      onCancelReply: () => cancelled++,
      replyTo: { sender: { id: "a", name: "a" }, text: "b" },
    })
    write("@ア")
    press("Escape")
    expect(offered()).toEqual([])
    expect(cancelled).toBe(0)
    write("@アキ")
    expect(offered()).toEqual([])
    press("Enter")
    expect(sent).toEqual([{ text: "@アキ", mentions: ["1"] }])
  })

  it("a name that is written in full needs no choice: Enter sends, and Tab inserts", () => {
    const { sent, field } = setup()
    write("ok @Cy Young")
    press("Enter")
    expect(sent).toEqual([{ text: "ok @Cy Young", mentions: ["5"] }])
    write("@アキ")
    press("Tab")
    expect(field.value).toBe("@アキ ")
  })

  it("of two with one name the chosen one is meant, and neither where none was chosen", () => {
    const { sent } = setup()
    write("@be")
    press("ArrowDown")
    press("Enter")
    press("Enter")
    write("@Ben")
    press("Escape")
    press("Enter")
    expect(sent).toEqual([
      { text: "@Ben", mentions: ["4"] },
      { text: "@Ben", mentions: [] },
    ])
  })

  it("two who could be mistaken for one another have marks", async () => {
    setup()
    write("@ben")
    const [one, other] = await screen.findAllByText(/^#[0-9a-z]{4}$/, {}, { timeout: 15_000 })
    expect(one?.textContent).not.toBe(other?.textContent)
    expect(screen.getAllByText(/^#/)).toHaveLength(2)
  })
})

describe("the field for editing", () => {
  function edit(initial = "before") {
    const calls: unknown[] = []
    show(
      <EditField
        initial={initial}
        onChange={() => {}}
        onSave={(text, mentions) => calls.push([text, mentions])}
        onCancel={() => calls.push("cancelled")}
      />,
    )
    return calls
  }

  it("has the focus, the cursor behind the text", () => {
    edit()
    const field = screen.getByRole<HTMLTextAreaElement>("textbox")
    expect(document.activeElement).toBe(field)
    expect(field.selectionStart).toBe("before".length)
  })

  it("saves by Enter and is left by Esc, but not by keys of the input method", () => {
    const calls = edit()
    write("after @アキ")
    press("Enter", { isComposing: true })
    press("Escape", { keyCode: 229 })
    expect(calls).toEqual([])
    press("Escape")
    press("Escape")
    write(" after @アキ! ")
    press("Enter")
    expect(calls).toEqual(["cancelled", ["after @アキ!", ["1"]]])
  })

  it("follows an edit from elsewhere until it has one of its own, and then says so", () => {
    const field = (initial: string) => (
      <EditField initial={initial} onChange={() => {}} onSave={() => {}} onCancel={() => {}} />
    )
    const { rerender } = render(wrapped(field("first")))
    rerender(wrapped(field("second")))
    expect(screen.getByRole<HTMLTextAreaElement>("textbox").value).toBe("second")
    expect(screen.queryByText(messages.composer.editedMeanwhile)).toBeNull()
    write("mine")
    rerender(wrapped(field("third")))
    expect(screen.getByRole<HTMLTextAreaElement>("textbox").value).toBe("mine")
    expect(screen.getByText(messages.composer.editedMeanwhile)).toBeTruthy()
  })

  it("goes on with what an earlier page had made of it, and says so where it was edited elsewhere since", () => {
    const changes: unknown[] = []
    const field = (initial: string) => (
      <EditField
        initial={initial}
        kept={{ base: "first", text: "mine", chosen: [] }}
        onChange={(draft, base) => changes.push([draft.text, base])}
        onSave={() => {}}
        onCancel={() => {}}
      />
    )
    const { unmount } = show(field("first"))
    expect(screen.getByRole<HTMLTextAreaElement>("textbox").value).toBe("mine")
    expect(screen.queryByText(messages.composer.editedMeanwhile)).toBeNull()
    write("mine, too")
    expect(changes).toEqual([["mine, too", "first"]])
    unmount()
    show(field("second"))
    expect(screen.getByRole<HTMLTextAreaElement>("textbox").value).toBe("mine")
    expect(screen.getByText(messages.composer.editedMeanwhile)).toBeTruthy()
  })

  it("takes the focus from nobody where it is one of an earlier page, and has it where nobody has", () => {
    const kept = { base: "first", text: "mine", chosen: [] }
    const fields = (isThere: boolean) =>
      wrapped(
        <>
          <input aria-label="elsewhere" />
          {isThere && (
            <EditField
              initial="first"
              kept={kept}
              onChange={() => {}}
              onSave={() => {}}
              onCancel={() => {}}
            />
          )}
        </>,
      )
    const { rerender } = render(fields(false))
    const elsewhere = screen.getByLabelText("elsewhere")
    elsewhere.focus()
    rerender(fields(true))
    expect(document.activeElement).toBe(elsewhere)
    rerender(fields(false))
    elsewhere.blur()
    rerender(fields(true))
    expect(document.activeElement).toBe(screen.getByDisplayValue("mine"))
  })

  it("saves nothing empty and nothing too long", () => {
    const calls = edit()
    write("  ")
    press("Enter")
    write("x".repeat(4001))
    press("Enter")
    expect(calls).toEqual([])
    expect(screen.getByText("1文字超過しています（4,000文字まで）")).toBeTruthy()
  })
})
