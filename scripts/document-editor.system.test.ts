// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react"
import { createElement } from "react"
import { RealtimeProvider } from "throughline/react"
import { type DocumentView, useAwareness, useDocument } from "throughline/yjs/react"
import { afterEach, expect, it, vi } from "vitest"
import { Editor } from "../examples/document/app/editor.tsx"
import { type Language, texts } from "../examples/document/app/texts.ts"
import { documents } from "../examples/document/realtime/documents.ts"
import { startDocuments } from "../realtime/testing/documents/stage.ts"

vi.mock("next/navigation", () => ({ useRouter: () => ({ refresh() {} }) }))
afterEach(cleanup)

/** However slow the machine: this only ends what hangs. */
const patience = { timeout: 30_000 }

it.each<[Language]>([["en"], ["ja"]])(
  "the example's editor says that what was put in is too large, and throws it away when asked: %s",
  async (lang) => {
    await using stage = startDocuments()
    let shared: DocumentView | undefined
    function Page() {
      const ref = documents({ document: `${lang}-1` })
      shared = useDocument(ref)
      const awareness = useAwareness(ref, shared.doc)
      return awareness && createElement(Editor, { awareness, key: awareness.clientID, lang, shared })
    }
    const { client } = stage.page("alice", { isOpen: false })
    render(createElement(RealtimeProvider, { client, children: createElement(Page) }))
    await screen.findByRole("textbox", {}, patience)
    await vi.waitFor(() => expect(shared?.canWrite).toBe(true), patience)
    // More than 1,000 messages hold; not where the editor would draw it.
    act(() => shared?.doc?.getText("elsewhere").insert(0, "x".repeat(25_000_000)))
    const alert = await screen.findByRole("alert", {}, patience)
    expect(alert.textContent).toContain(texts[lang].tooLarge)
    expect(shared?.canWrite).toBe(false)
    fireEvent.click(screen.getByRole("button", { name: texts[lang].discard }))
    await vi.waitFor(() => expect(screen.queryByRole("alert")).toBeNull(), patience)
    await vi.waitFor(() => expect(shared?.status.state).toBe("synced"), patience)
  },
)
