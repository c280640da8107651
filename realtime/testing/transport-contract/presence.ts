import type { PresenceSnapshot } from "../../message.ts"
import { waitFor } from "../wait-for.ts"
import { alice, bob, carol, expect, type Probe, suite } from "./check.ts"

const moodsOf = (snapshot: PresenceSnapshot | undefined) =>
  Object.fromEntries(
    (snapshot?.members ?? []).map(({ user, data }) => [user.id, (data as { mood: string }).mood]),
  )

/** Waits until the last snapshot names these people with these moods, and nobody else. */
function sees(probe: Probe, moods: Record<string, string>) {
  const wanted = JSON.stringify(Object.entries(moods).sort())
  return waitFor(() => {
    const last = probe.snapshots.at(-1)
    return (
      last?.count === Object.keys(moods).length &&
      JSON.stringify(Object.entries(moodsOf(last)).sort()) === wanted
    )
  }, `the presence of ${wanted}`)
}

export const presenceChecks = suite("presence", {
  async "shows who enters, with data and name, and who leaves"(stage) {
    const room = stage.room()
    const [one, other] = await Promise.all([stage.connect(alice), stage.connect(bob)])
    const [a, b] = await Promise.all([stage.probe(one, room), stage.probe(other, room)])
    a.subscription.watchPresence()
    await b.subscription.enterPresence({ mood: "fine" })
    await sees(a, { bob: "fine" })
    expect("the member", a.snapshots.at(-1)?.members?.[0]?.user, bob)
    await a.subscription.enterPresence({ mood: "new" })
    await Promise.all([sees(a, { alice: "new", bob: "fine" }), sees(b, { alice: "new", bob: "fine" })])
    await b.subscription.leavePresence()
    await sees(a, { alice: "new" })
  },

  async "does not show who only watches"(stage) {
    const room = stage.room()
    const [watcher, other] = await Promise.all([stage.connect(alice), stage.connect(bob)])
    const [a, b] = await Promise.all([stage.probe(watcher, room), stage.probe(other, room)])
    a.subscription.watchPresence()
    b.subscription.watchPresence()
    await b.subscription.enterPresence({ mood: "alone" })
    await Promise.all([sees(a, { bob: "alone" }), sees(b, { bob: "alone" })])
  },

  async "tells a newcomer who is there already"(stage) {
    const room = stage.room()
    const b = await stage.probe(await stage.connect(bob), room)
    await b.subscription.enterPresence({ mood: "early" })
    const late = await stage.probe(await stage.connect(carol), room)
    late.subscription.watchPresence()
    await sees(late, { bob: "early" })
  },

  async "counts one person once, however many tabs they have, until the last one goes"(stage) {
    const room = stage.room()
    const watcher = await stage.probe(await stage.connect(bob), room)
    watcher.subscription.watchPresence()
    const tabs = await Promise.all([stage.connect(alice), stage.connect(alice)])
    const [first, second] = await Promise.all(tabs.map((tab) => stage.probe(tab, room)))
    await first?.subscription.enterPresence({ mood: "one" })
    await sees(watcher, { alice: "one" })
    await second?.subscription.enterPresence({ mood: "two" })
    await sees(watcher, { alice: "two" })
    await tabs[1]?.close()
    await sees(watcher, { alice: "one" })
    await tabs[0]?.close()
    await sees(watcher, {})
  },

  async "shows changed data"(stage) {
    const room = stage.room()
    const watcher = await stage.probe(await stage.connect(bob), room)
    watcher.subscription.watchPresence()
    const a = await stage.probe(await stage.connect(alice), room)
    for (const mood of ["ok", "とても良い", "👍"]) {
      await a.subscription.enterPresence({ mood })
      await sees(watcher, { alice: mood })
    }
  },

  async "is entered again after an interruption, without being asked"(stage) {
    const room = stage.room()
    const [one, other] = await Promise.all([stage.connect(alice), stage.connect(bob)])
    const [a, b] = await Promise.all([stage.probe(one, room), stage.probe(other, room)])
    a.subscription.watchPresence()
    await b.subscription.enterPresence({ mood: "steady" })
    await sees(a, { bob: "steady" })
    await stage.backend.dropConnections()
    await waitFor(() => a.attachments === 2 && b.attachments === 2)
    await sees(a, { bob: "steady" })
  },

  async "keeps no ghost of whoever went while nobody could tell"(stage) {
    const room = stage.room()
    const [one, other] = await Promise.all([stage.connect(alice), stage.connect(bob)])
    const [a, b] = await Promise.all([stage.probe(one, room), stage.probe(other, room)])
    a.subscription.watchPresence()
    await a.subscription.enterPresence({ mood: "here" })
    await b.subscription.enterPresence({ mood: "killed" })
    await sees(a, { alice: "here", bob: "killed" })
    const end = await stage.backend.startOutage()
    await waitFor(() => one.status.state !== "connected" && other.status.state !== "connected")
    await other.close()
    await end()
    await waitFor(() => a.attachments === 2)
    await sees(a, { alice: "here" })
    await waitFor(async () => (await stage.backend.realtime.members(room)).count === 1)
  },

  async "is known to the server"(stage) {
    const room = stage.room()
    const a = await stage.probe(await stage.connect(alice), room)
    await a.subscription.enterPresence({ mood: "counted" })
    await waitFor(async () => (await stage.backend.realtime.members(room)).count === 1)
  },

  async "forgives a short absence through the client"(stage) {
    const room = stage.room()
    const watching = stage.openClient(bob).channel(room)
    const counts: number[] = []
    watching.presence.subscribe(() => counts.push(watching.presence.snapshot?.count ?? -1))
    const first = stage.openClient(alice)
    first.channel(room).presence.enter({ mood: "here" })
    await waitFor(() => watching.presence.snapshot?.count === 1)
    // The other tab is ready to enter, so that the absence is as short as a reload's and no longer.
    const second = stage.openClient(alice)
    second.channel(room).presence.subscribe(() => {})
    await waitFor(() => second.channel(room).status.state === "attached")
    await first.close()
    second.channel(room).presence.enter({ mood: "back" })
    await waitFor(() => (watching.presence.snapshot?.members?.[0]?.data as { mood: string })?.mood === "back")
    expect("absences seen", counts.slice(counts.indexOf(1)).includes(0), false)
    await second.close()
    await waitFor(() => watching.presence.snapshot?.count === 0)
  },
})
