import { cleanup, fireEvent, render, screen } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import { afterEach, describe, expect, it } from "vitest"
import messages from "#lib/i18n/messages/ja.json"
import { Composer } from "./composer.tsx"

afterEach(() => {
  cleanup()
  sessionStorage.clear()
})

function setup() {
  const sent: string[] = []
  render(
    <NextIntlClientProvider locale="ja" messages={messages as never} timeZone="UTC">
      <Composer roomId="1" onSend={(text) => sent.push(text)} />
    </NextIntlClientProvider>,
  )
  const field = screen.getByRole<HTMLTextAreaElement>("textbox")
  const write = (value: string) => fireEvent.change(field, { target: { value } })
  return { sent, field, write }
}

describe("the composer", () => {
  it("sends on Enter, trimmed, and is empty then", () => {
    const { sent, field, write } = setup()
    write("  こんにちは \n")
    fireEvent.keyDown(field, { key: "Enter" })
    expect(sent).toEqual(["こんにちは"])
    expect(field.value).toBe("")
  })

  it("doesn't send on the Enter that ends a conversion, in any browser", () => {
    const { sent, field, write } = setup()
    write("にほんご")
    fireEvent.keyDown(field, { key: "Enter", isComposing: true })
    fireEvent.keyDown(field, { key: "Enter", keyCode: 229 })
    expect(sent).toEqual([])
    expect(field.value).toBe("にほんご")
  })

  it("leaves Shift and Enter to the line break", () => {
    const { sent, field, write } = setup()
    write("one")
    expect(fireEvent.keyDown(field, { key: "Enter", shiftKey: true })).toBe(true)
    expect(sent).toEqual([])
  })

  it("sends nothing empty and nothing too long, and says how much too long", () => {
    const { sent, field, write } = setup()
    write("   ")
    fireEvent.keyDown(field, { key: "Enter" })
    write("x".repeat(4003))
    fireEvent.keyDown(field, { key: "Enter" })
    expect(sent).toEqual([])
    expect(screen.getByText("3文字超過しています")).toBeTruthy()
  })

  it("keeps a draft for the room", () => {
    setup().write("draft")
    cleanup()
    expect(setup().field.value).toBe("draft")
  })
})
