import { cleanup, render, screen } from "@testing-library/react"
import { UnrecognizedActionError } from "next/dist/client/components/unrecognized-action-error"
import { NextIntlClientProvider } from "next-intl"
import { afterEach, expect, it, vi } from "vitest"
import en from "#lib/i18n/messages/en.json"
import ErrorPage from "./error.tsx"

vi.mock("next/navigation", async (original) => ({
  ...(await original<typeof import("next/navigation")>()),
  useRouter: () => ({ refresh() {} }),
}))

afterEach(cleanup)

it.each([
  ["the server's failure", new Error("failed"), en.pages.errorTitle, [en.broken.retry, en.pages.errorReload]],
  // Trying again asks for the same action, which the other release doesn't have.
  [
    "an action of another release",
    new UnrecognizedActionError("no such action"),
    en.sessionEnd.outdatedTitle,
    [en.sessionEnd.reload],
  ],
])("says of %s what happened and what to do", (_, error, title, buttons) => {
  render(
    <NextIntlClientProvider locale="en" messages={en as never}>
      <ErrorPage error={error} reset={() => {}} />
    </NextIntlClientProvider>,
  )
  expect(screen.getByRole("heading").textContent).toBe(title)
  expect(screen.getAllByRole("button").map(({ textContent }) => textContent)).toEqual(buttons)
})
