import { cleanup, render, screen } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import { afterEach, expect, it } from "vitest"
import { signedOutCookie } from "#lib/chat/signed-out-cookie.ts"
import en from "#lib/i18n/messages/en.json"
import { SignedOutHere } from "./signed-out-here.tsx"

afterEach(cleanup)

const page = (isNews: boolean) => (
  <NextIntlClientProvider locale="en" messages={en as never} timeZone="UTC">
    <SignedOutHere isNews={isNews} />
  </NextIntlClientProvider>
)

it("is said once, and stays while the page is rendered again without its cookie", () => {
  // biome-ignore lint/suspicious/noDocumentCookie: as a server's answer sets it.
  document.cookie = `${signedOutCookie}=here; Path=/`
  const { rerender, unmount } = render(page(true))
  expect(document.cookie).toBe("")
  rerender(page(false))
  expect(screen.getByRole("status").textContent).toBe(en.welcome.signedOutHere)
  unmount()
  render(page(false))
  expect(screen.queryByRole("status")).toBeNull()
})
