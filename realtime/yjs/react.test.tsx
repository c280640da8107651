import "fake-indexeddb/auto"
import { act, cleanup, render, screen, waitFor } from "@testing-library/react"
import { type ReactNode, StrictMode, useEffect } from "react"
import { afterEach, expect, it } from "vitest"
import type { Doc } from "yjs"
import type { RealtimeClient } from "../client/types.ts"
import { UserContext } from "../react/context.ts"
import { RealtimeProvider } from "../react/index.ts"
import { startDocuments } from "../testing/documents/stage.ts"
import type { SharedDocument } from "./document-types.ts"
import { useAwareness, useDocument } from "./react.ts"

afterEach(cleanup)

type Stage = ReturnType<typeof startDocuments>

const textOf = (doc: Doc) => doc.getText("body")

/** What a page shows, and at hand what it shows it by. */
function setup(ref: Stage["ref"]) {
  const held: { document: SharedDocument | null; docs: Set<Doc> } = { document: null, docs: new Set() }
  function Page({ of = ref, canWrite }: { of?: Stage["ref"]; canWrite?: boolean }) {
    const { document, doc, status, canWrite: may } = useDocument(of, { canWrite })
    const awareness = useAwareness(of, doc)
    held.document = document
    if (doc) held.docs.add(doc)
    useEffect(() => awareness?.setLocalStateField("name", "Aki"), [awareness])
    return (
      <p>
        {status.state}, {may ? "writes" : "reads"}, {doc ? textOf(doc).toString() : "nothing"},{" "}
        {awareness ? (awareness.doc === doc ? "its own" : "another") : "no"} awareness
      </p>
    )
  }
  const at = (client: RealtimeClient, children: ReactNode, user: string | null = null) => (
    <StrictMode>
      <UserContext value={user === null ? null : { id: user }}>
        <RealtimeProvider client={client}>{children}</RealtimeProvider>
      </UserContext>
    </StrictMode>
  )
  return { held, Page, at }
}

const shows = (text: string) => waitFor(() => expect(screen.getByText(text)).toBeTruthy())

it("opens the document while the component is there, with its awareness, and draws what changes", async () => {
  await using stage = startDocuments()
  const { held, Page, at } = setup(stage.ref)
  const { client } = stage.page("a", { isOpen: false })
  const view = render(at(client, <Page />))
  await shows("synced, writes, , its own awareness")
  const other = stage.open("b").document
  await waitFor(() => expect(other.status.state).toBe("synced"))
  const doc = held.document?.doc as Doc
  act(() => textOf(doc).insert(0, "one"))
  await shows("saving, writes, one, its own awareness")
  await shows("synced, writes, one, its own awareness")
  await waitFor(() => expect(textOf(other.doc).toString()).toBe("one"))
  expect((await stage.realtime.head(stage.ref)).seq).toBe(1)
  view.unmount()
  await waitFor(() => expect(doc.isDestroyed).toBe(true))
})

it("shows another document, and shares its awareness, once changes were thrown away", async () => {
  await using stage = startDocuments()
  const { held, Page, at } = setup(stage.ref)
  render(at(stage.page("a", { isOpen: false }).client, <Page canWrite={false} />))
  await shows("synced, reads, , its own awareness")
  const first = held.document?.doc as Doc
  act(() => textOf(first).insert(0, "refused"))
  await shows("diverged, reads, refused, its own awareness")
  act(() => held.document?.discardLocal())
  await shows("synced, reads, , its own awareness")
  expect(held.document?.doc).not.toBe(first)
})

it("shows nothing of the document before, from the first moment of another one", async () => {
  await using stage = startDocuments()
  const { held, Page, at } = setup(stage.ref)
  const { client } = stage.page("a", { isOpen: false })
  const view = render(at(client, <Page />))
  await shows("synced, writes, , its own awareness")
  act(() => textOf(held.document?.doc as Doc).insert(0, "one"))
  await shows("synced, writes, one, its own awareness")
  held.docs.clear()
  const before = held.document?.doc as Doc
  view.rerender(at(client, <Page of={stage.another()} />))
  await shows("synced, writes, , its own awareness")
  expect(held.docs).not.toContain(before)
})

it("keeps it for whoever is signed in, so that it is there without a network", async () => {
  await using stage = startDocuments()
  const owner = crypto.randomUUID()
  const { held, Page, at } = setup(stage.ref)
  const view = render(at(stage.page(owner, { isOpen: false }).client, <Page />, owner))
  await shows("synced, writes, , its own awareness")
  act(() => textOf(held.document?.doc as Doc).insert(0, "kept"))
  await shows("synced, writes, kept, its own awareness")
  const document = held.document
  view.unmount()
  await document?.close()
  stage.cutNetwork()
  render(at(stage.page(owner, { isOpen: false }).client, <Page />, owner))
  await shows("offline, writes, kept, its own awareness")
})

it("has its last edit when it is shown again at once, without a network", async () => {
  await using stage = startDocuments()
  const owner = crypto.randomUUID()
  const { held, Page, at } = setup(stage.ref)
  const { client } = stage.page(owner, { isOpen: false })
  const view = render(at(client, <Page />, owner))
  await shows("synced, writes, , its own awareness")
  act(() => textOf(held.document?.doc as Doc).insert(0, "kept"))
  await shows("synced, writes, kept, its own awareness")
  stage.cutNetwork()
  await shows("offline, writes, kept, its own awareness")
  act(() => textOf(held.document?.doc as Doc).insert(4, "!"))
  act(() => textOf(held.document?.doc as Doc).insert(5, "!"))
  view.rerender(at(client, null, owner))
  view.rerender(at(client, <Page />, owner))
  await shows("offline, writes, kept!!, its own awareness")
})

it("stays the same document where somebody may write to it now, and may not any more", async () => {
  await using stage = startDocuments()
  const { held, Page, at } = setup(stage.ref)
  const { client } = stage.page("a", { isOpen: false })
  const view = render(at(client, <Page canWrite={false} />))
  await shows("synced, reads, , its own awareness")
  held.docs.clear()
  view.rerender(at(client, <Page canWrite={true} />))
  await shows("synced, writes, , its own awareness")
  act(() => textOf(held.document?.doc as Doc).insert(0, "one"))
  await shows("synced, writes, one, its own awareness")
  view.rerender(at(client, <Page canWrite={false} />))
  await shows("synced, reads, one, its own awareness")
  expect(held.docs.size).toBe(1)
})
