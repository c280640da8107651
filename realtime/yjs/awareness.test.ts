import { setTimeout as delay } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import { Doc } from "yjs"
import { startDocuments } from "../testing/documents/stage.ts"
import { waitFor } from "../testing/wait-for.ts"
import { shareAwareness } from "./awareness.ts"

type Stage = ReturnType<typeof startDocuments>

function come(stage: Stage, id: string, { isPresent = true } = {}) {
  const { channel, client } = stage.page(id)
  const signals: unknown[] = []
  channel.onSignal("awareness", ({ payload }) => signals.push(payload))
  const entry = isPresent ? channel.presence.enter({}) : undefined
  const shared = shareAwareness(channel, new Doc(), { random: () => 0.1 })
  const { awareness } = shared
  return {
    ...{ client, channel, awareness, entry, signals, close: shared.close },
    /** The names of those whom it shows, its own first. */
    names: () => [...awareness.getStates().values()].map(({ name }) => name).filter(Boolean),
  }
}

describe("awareness", () => {
  it("shows everybody to everybody, whoever came first", async () => {
    await using stage = startDocuments()
    const a = come(stage, "a")
    a.awareness.setLocalState({ name: "Aki" })
    await waitFor(() => a.channel.status.state === "attached")
    const b = come(stage, "b")
    b.awareness.setLocalState({ name: "Ben" })
    await waitFor(() => a.names().length === 2 && b.names().length === 2)
    expect([a.names(), b.names()]).toEqual([
      ["Aki", "Ben"],
      ["Ben", "Aki"],
    ])
    const c = come(stage, "c")
    await waitFor(() => c.names().length === 2)
  })

  it("falls silent when all have told, whoever comes at once", async () => {
    await using stage = startDocuments()
    const pages = ["a", "b", "c"].map((id) => come(stage, id))
    for (const { awareness, channel } of pages) awareness.setLocalState({ name: channel.name })
    await waitFor(() => pages.every(({ names }) => names().length === 3))
    await delay(1_500)
    const heard = pages.reduce((sum, { signals }) => sum + signals.length, 0)
    // Each of three has two listeners: it comes, says its name, and answers those who come. Pages that
    // answer one another for ever say ten times as much.
    expect(heard).toBeLessThanOrEqual(30)
  })

  it("tells what has changed, the last of it always, and nothing that hasn't", async () => {
    await using stage = startDocuments()
    const [a, b] = [come(stage, "a"), come(stage, "b")]
    await waitFor(() => [a, b].every(({ channel }) => channel.status.state === "attached"))
    a.awareness.setLocalState({ name: "Aki", caret: 0 })
    await waitFor(() => b.names().length === 1)
    const before = b.signals.length
    for (let caret = 1; caret <= 100; caret += 1) a.awareness.setLocalStateField("caret", caret)
    await waitFor(() => b.awareness.getStates().get(a.awareness.clientID)?.caret === 100)
    const told = b.signals.length
    expect(told - before).toBeLessThan(10)
    for (let n = 0; n < 10; n += 1) a.awareness.setLocalStateField("caret", 100)
    a.awareness.setLocalStateField("caret", 101)
    await waitFor(() => b.awareness.getStates().get(a.awareness.clientID)?.caret === 101)
    expect(b.signals.length).toBe(told + 1)
  })

  it("takes away who leaves the document, at once", async () => {
    await using stage = startDocuments()
    const [a, b] = [come(stage, "a", { isPresent: false }), come(stage, "b")]
    a.awareness.setLocalState({ name: "Aki" })
    await waitFor(() => b.names().length === 1)
    a.close()
    await waitFor(() => b.names().length === 0)
  })

  it("takes away who has gone without a word, by the channel's presence", async () => {
    await using stage = startDocuments()
    const [a, b] = [come(stage, "a"), come(stage, "b")]
    a.awareness.setLocalState({ name: "Aki" })
    await waitFor(() => b.names().length === 1)
    await waitFor(() => b.channel.presence.snapshot?.members?.length === 2)
    await a.client.close()
    await waitFor(() => b.names().length === 0)
    // And shows them again when they come back as they were.
    a.client.open()
    await waitFor(() => b.names().length === 1)
  })

  it("lets nobody change another's", async () => {
    await using stage = startDocuments()
    const [a, b, c] = [come(stage, "a"), come(stage, "b"), come(stage, "c")]
    a.awareness.setLocalState({ name: "Aki" })
    await waitFor(() => b.names().length === 1)
    const forged = { client: a.awareness.clientID, clock: 1_000, state: { name: "Mallory" } }
    await waitFor(() => c.channel.status.state === "attached")
    await c.channel.signal("awareness", forged)
    c.awareness.setLocalState({ name: "Chi" })
    await waitFor(() => b.names().length === 2)
    expect(b.names()).toEqual(["Aki", "Chi"])
  })

  it("reports that it was refused, but not where it is closed meanwhile", async () => {
    let isOpen = true
    const mayRead = () => isOpen
    await using left = startDocuments({ mayRead })
    await using other = startDocuments({ mayRead })
    const [a, b] = [come(left, "a"), come(other, "b")]
    await waitFor(() => [a, b].every(({ channel }) => channel.status.state === "attached"))
    isOpen = false
    // Two of them: one is under way, the other waits for its turn.
    a.awareness.setLocalState({ name: "Aki" })
    a.close()
    b.awareness.setLocalState({ name: "Ben" })
    const told = ({ errors }: typeof left) => errors.filter((error) => error.startsWith("tell the awareness"))
    await waitFor(() => told(other).length > 0)
    await delay(500)
    expect(told(left)).toEqual([])
  })

  it("ends with its document, and has no timer of its own", async () => {
    await using stage = startDocuments()
    const [a, b] = [come(stage, "a", { isPresent: false }), come(stage, "b")]
    a.awareness.setLocalState({ name: "Aki" })
    await waitFor(() => b.names().length === 1)
    a.awareness.doc.destroy()
    await waitFor(() => b.names().length === 0)
    a.close()
  })
})
