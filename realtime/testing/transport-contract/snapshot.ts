import { followSnapshot } from "../../client/follow-snapshot.ts"
import { waitFor } from "../wait-for.ts"
import { contractChannels, createContractHttp } from "./backend.ts"
import { alice, bob, expect, freshName, rejection, suite, textsOf } from "./check.ts"

const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)

/** What the log alone decides of snapshots is asked of the logs; here, what a page has of them. */
export const snapshotChecks = suite("snapshot", {
  async "begins with what there is of a channel, and hands over each later message once, whatever happens"(
    stage,
  ) {
    const room = stage.room()
    const { realtime } = stage.backend
    const say = (text: string) => realtime.publish(room, "said", { text })
    for (const text of ["1", "2"]) await say(text)
    const { epoch } = await say("3")
    const written = await realtime.snapshot(room).write({ epoch, upTo: 2, ifUpTo: 0, bytes })
    expect("that it is written", written, { isWritten: true, epoch, upTo: 2, seq: 3 })
    const told: unknown[] = []
    const channel = stage.openClient(bob).channel(room)
    const follow = (since?: { epoch: string; seq: number }) =>
      followSnapshot(
        channel,
        {
          onSnapshot: ({ bytes: given, ...start }) => told.push({ ...start, bytes: given && [...given] }),
          onMessages: (messages) => told.push(...textsOf(messages)),
          onGap: (gap) => told.push(gap),
        },
        { since },
      )
    const followed = follow()
    await followed.ready
    const start = { epoch, upTo: 2, bytes: [...bytes], reason: "begun" }
    expect("what it begins with", told, [start, "3"])
    await say("4")
    await waitFor(() => told.length > 2, "a live message")
    const end = await stage.backend.startOutage()
    await waitFor(() => channel.status.state !== "attached", "the interruption")
    await say("5")
    await end()
    await waitFor(() => told.length > 3, "what was missed")
    await say("6")
    await waitFor(() => told.length > 4, "what comes then")
    expect("all of it", told, [start, "3", "4", "5", "6"])
    expect("its place", followed.cursor?.seq, 6)
    followed.unsubscribe()
    await say("7")
    const again = follow({ epoch, seq: 6 })
    await again.ready
    await say("8")
    await waitFor(() => told.length > 6, "what comes after its place")
    expect("what is told from there", told.slice(5), ["7", "8"])
  },

  async "is closed to whoever may not subscribe"(stage) {
    const vault = contractChannels.vault({ vault: freshName("vault") })
    const { epoch } = await stage.backend.realtime.publish(vault, "said", { text: "1234" })
    await stage.backend.realtime.snapshot(vault).write({ epoch, upTo: 1, ifUpTo: 0, bytes })
    const http = createContractHttp(stage.backend.realtime, alice)
    const refusal = await rejection(http.post("snapshot", { channel: vault.name }))
    expect("the code over HTTP", refusal.code, "channel-denied")
    const channel = stage.openClient(alice).channel(vault)
    const told: unknown[] = []
    const tell = (...args: unknown[]) => void told.push(args)
    followSnapshot(channel, { onSnapshot: tell, onMessages: tell, onGap: tell })
    await waitFor(() => channel.status.state === "denied", "the refusal")
    expect("what was told", told, [])
  },
})
