import { cleanup, render, screen, waitFor } from "@testing-library/react"
import { afterEach, describe, expect, it, vi } from "vitest"
import texts from "#lib/i18n/last-resort.json"
import { localeCookie } from "#lib/i18n/locales.ts"
import GlobalError from "./global-error.tsx"

afterEach(() => {
  cleanup()
  vi.restoreAllMocks()
  // biome-ignore lint/suspicious/noDocumentCookie: what the page reads
  document.cookie = `${localeCookie}=; max-age=0`
})

/** jsdom has no screen whose colours one could prefer. */
function show(languages: string[], prefersDark = false) {
  vi.spyOn(navigator, "languages", "get").mockReturnValue(languages)
  Object.assign(window, { matchMedia: () => ({ matches: prefersDark }) })
  render(<GlobalError />, { container: document })
}

const heading = () => screen.getByRole("heading").textContent

describe("the page of last resort", () => {
  it("speaks the browser's language and looks as the system does, with a way on", async () => {
    show(["ja-JP", "en"], true)
    await waitFor(() => expect(heading()).toBe(texts.ja.title))
    expect(document.documentElement.lang).toBe("ja")
    expect(document.documentElement.className).toBe("dark")
    expect(screen.getByRole("button", { name: texts.ja.reload })).toBeTruthy()
  })

  it("speaks the language that the reader chose", async () => {
    // biome-ignore lint/suspicious/noDocumentCookie: what the page reads
    document.cookie = `${localeCookie}=en`
    show(["ja-JP"])
    await waitFor(() => expect(heading()).toBe(texts.en.title))
    expect(document.documentElement.lang).toBe("en")
  })

  it("is light where nothing can tell what the system prefers", async () => {
    Object.assign(window, { matchMedia: undefined })
    vi.spyOn(navigator, "languages", "get").mockReturnValue(["en"])
    render(<GlobalError />, { container: document })
    await waitFor(() => expect(heading()).toBe(texts.en.title))
    expect(document.documentElement.className).toBe("")
  })

  it("has the same texts in both languages", () => {
    expect(Object.keys(texts.ja)).toEqual(Object.keys(texts.en))
  })
})
