import { it } from "vitest"
import { Doc } from "yjs"
import { startDocuments } from "../testing/documents/stage.ts"
import { waitFor } from "../testing/wait-for.ts"
import { shareAwareness } from "./awareness.ts"

it("takes a page that is left away, and shows it again where the browser kept it", async () => {
  await using stage = startDocuments()
  const [a, b] = ["a", "b"].map((id) => {
    const { channel } = stage.page(id)
    return { channel, ...shareAwareness(channel, new Doc(), { random: () => 0 }) }
  }) as unknown as [Opened, Opened]
  a.awareness.setLocalState({ name: "Aki" })
  const isShown = () => b.awareness.getStates().get(a.awareness.clientID)?.name === "Aki"
  await waitFor(isShown)
  // Both pages are in this window: only one of them is left.
  b.close()
  const { channel } = stage.page("c")
  const c = shareAwareness(channel, new Doc(), { random: () => 0 })
  const isSeen = () => c.awareness.getStates().get(a.awareness.clientID)?.name === "Aki"
  await waitFor(isSeen)
  window.dispatchEvent(new Event("pagehide"))
  await waitFor(() => !isSeen())
  window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))
  await waitFor(isSeen)
  a.close()
  c.close()
})

type Opened = ReturnType<typeof shareAwareness>
