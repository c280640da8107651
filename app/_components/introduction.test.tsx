import { cleanup, render, screen } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import { afterEach, expect, it } from "vitest"
import en from "#lib/i18n/messages/en.json"
import ja from "#lib/i18n/messages/ja.json"
import { Introduction } from "./introduction.tsx"

afterEach(cleanup)

it.each([
  ["en", en, " "],
  ["ja", ja, ""],
] as const)("parts sentences as its language does: %s", (locale, messages, space) => {
  render(
    <NextIntlClientProvider locale={locale} messages={messages as never}>
      <Introduction providers={["ably"]} />
    </NextIntlClientProvider>,
  )
  const { labText } = messages.welcome
  expect(screen.getByRole("link").parentElement?.textContent).toBe(labText + space + messages.lab.open)
})
