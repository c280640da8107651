import { cleanup, fireEvent, render, screen } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import type { ComponentProps } from "react"
import { afterEach, expect, it } from "vitest"
import en from "#lib/i18n/messages/en.json"
import ja from "#lib/i18n/messages/ja.json"
import { Field } from "./field.tsx"

afterEach(cleanup)

const field = () => screen.getByRole<HTMLInputElement>("textbox")
const write = (value: string) => fireEvent.change(field(), { target: { value } })

const wrapped = (props: Partial<ComponentProps<typeof Field>> = {}, locale: "en" | "ja" = "en") => (
  <NextIntlClientProvider locale={locale} messages={{ en, ja }[locale] as never} timeZone="UTC">
    <Field id="name" label="Name" max={40} {...props} />
  </NextIntlClientProvider>
)

it.each([
  ["en", "20 characters too many, 40 at most", "This is too long: 40 characters at most."],
  ["ja", "20文字超過しています（40文字まで）", "長すぎます（40文字まで）。"],
] as const)(
  "keeps a text that is too long whole, counts it and doesn't let it go, in %s",
  (locale, counted, told) => {
    render(wrapped({}, locale))
    expect(field().validity.valid).toBe(true)
    write("x".repeat(60))
    expect(field().value).toBe("x".repeat(60))
    expect(screen.getByText(counted)).toBeTruthy()
    expect(screen.getByText(told)).toBeTruthy()
    expect(field().validationMessage).toBe(told)
    expect(field().getAttribute("aria-invalid")).toBe("true")
    write("x".repeat(40))
    expect(field().validity.valid).toBe(true)
    expect(field().getAttribute("aria-invalid")).toBeNull()
  },
)

it("counts near its limit what is left, of characters as people see them", () => {
  render(wrapped())
  write("🚢".repeat(29))
  expect(screen.queryByText(/left/)).toBeNull()
  write("🚢".repeat(39))
  expect(screen.getByText("1 character left")).toBeTruthy()
})

it("says what is wrong with what was sent, until that is another text", () => {
  const { rerender } = render(wrapped())
  write("\u200b")
  rerender(wrapped({ error: "Nobody could see it.", defaultValue: "\u200b" }))
  expect(screen.getByRole("alert").textContent).toBe("Nobody could see it.")
  write("\u200bA")
  expect(screen.queryByRole("alert")).toBeNull()
  expect(field().getAttribute("aria-invalid")).toBeNull()
})
