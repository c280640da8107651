import { act, cleanup, fireEvent, render, screen } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import { afterEach, expect, it, onTestFinished, vi } from "vitest"
import en from "#lib/i18n/messages/en.json"
import ja from "#lib/i18n/messages/ja.json"
import { answerToForm } from "#lib/security/refused-form.ts"
import { FarewellDialog } from "./farewell-dialog.tsx"
import { ActionForm, answerOr } from "./server-action.tsx"
import { onSessionTold } from "./session-news.tsx"

/** A limit for what never comes, not a measure: the machine may be busy. */
const patient = { timeout: 15_000 }

afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

/** As of a request that a network has swallowed. */
const never = () => new Promise<null>(() => {})

it.each([
  ["en", en, "There was no answer in time."],
  ["ja", ja, "時間内に応答がありませんでした。"],
] as const)("says in %s what to do where an action's answer never comes", async (locale, messages, text) => {
  vi.useFakeTimers()
  render(
    <NextIntlClientProvider locale={locale} messages={messages as never} timeZone="UTC">
      <ActionForm owner="me" action={never}>
        <button type="submit">go</button>
      </ActionForm>
      <FarewellDialog
        isOpen
        onOpenChange={() => {}}
        title="t"
        lead="l"
        stay="s"
        leave="leave"
        action={never}
      />
    </NextIntlClientProvider>,
  )
  for (const name of ["go", "leave"])
    await act(async () => {
      fireEvent.click(screen.getByRole("button", { name, hidden: true }))
    })
  await act(() => vi.advanceTimersByTimeAsync(29_000))
  expect(screen.queryAllByRole("alert", { hidden: true })).toEqual([])
  await act(() => vi.advanceTimersByTimeAsync(1_000))
  const alerts = screen.getAllByRole("alert", { hidden: true })
  expect(alerts.map(({ textContent }) => textContent?.startsWith(text))).toEqual([true, true])
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "leave" }).disabled).toBe(false)
})

it.each(["session-changed", "invalid-request"] as const)("says why the server refused: %s", async (error) => {
  const told: (string | null)[] = []
  onTestFinished(onSessionTold((userId) => void told.push(userId)))
  render(
    <NextIntlClientProvider locale="en" messages={en as never} timeZone="UTC">
      <FarewellDialog
        {...{ isOpen: true, onOpenChange() {}, title: "t", lead: "l", stay: "s", leave: "leave" }}
        action={async () => ({ error })}
      />
    </NextIntlClientProvider>,
  )
  fireEvent.click(screen.getByRole("button", { name: "leave", hidden: true }))
  expect((await screen.findByRole("alert", { hidden: true })).textContent).toBe(en.errors[error])
  await vi.waitFor(() => expect(told).toEqual(error === "session-changed" ? [null] : []), patient)
})

it("hands on what the server itself throws, and tells the network's failures from it", async () => {
  const failure = Object.assign(new Error("internal"), { digest: "1" })
  await expect(answerOr(Promise.reject(failure), (unreached) => unreached)).rejects.toBe(failure)
  const network = new TypeError("Failed to fetch")
  expect(await answerOr(Promise.reject(network), ({ error }) => error)).toBe("not-connected")
  expect(await answerOr(Promise.resolve(1), () => 2)).toBe(1)
  for (const refusal of ["invalid-request", "message-too-large"] as const) {
    const answered = Promise.reject(new Error(answerToForm(refusal).text))
    expect(await answerOr(answered, ({ error }) => error)).toBe(refusal)
  }
})
