import { waitFor } from "../wait-for.ts"
import { alice, expect, suite } from "./check.ts"

export const connectionChecks = suite("connection", {
  async "is connecting, then connected, and says so"(stage) {
    const transport = stage.backend.createTransport(alice)
    const states: string[] = []
    transport.onStatus(({ state }) => states.push(state))
    expect("the first state", transport.status.state, "connecting")
    transport.connect()
    await waitFor(() => transport.status.state === "connected")
    expect("the last state told", states.at(-1), "connected")
    // A slow machine's first attempt may take long, and is then said to.
    const waiting = ["connecting", "suspended"]
    expect(
      "anything else before",
      states.slice(0, -1).filter((state) => !waiting.includes(state)),
      [],
    )
    await transport.close()
  },

  async "stays connected when connected again"(stage) {
    const transport = await stage.connect(alice)
    const states: string[] = []
    transport.onStatus(({ state }) => states.push(state))
    transport.connect()
    transport.connect()
    const probe = await stage.probe(transport, stage.room())
    expect("the states told", states, [])
    expect("attachments", probe.attachments, 1)
  },

  async "ends in closed, however often it is closed"(stage) {
    const transport = await stage.connect(alice)
    await Promise.all([transport.close(), transport.close()])
    await transport.close()
    expect("the state", transport.status.state, "closed")
    transport.connect()
    expect("the state after connecting again", transport.status.state, "closed")
  },

  async "can be closed before it is connected"(stage) {
    const transport = stage.backend.createTransport(alice)
    transport.connect()
    await transport.close()
    expect("the state", transport.status.state, "closed")
  },

  async "fails for good when its permission is refused, with the reason"(stage) {
    const transport = stage.backend.createRefusedTransport()
    transport.connect()
    await waitFor(() => transport.status.state === "failed", "the failure")
    expect("whether it retries", transport.status.error?.retryable, false)
    await transport.close()
  },

  async "joins what was asked for before it was connected"(stage) {
    const transport = stage.backend.createTransport(alice)
    const room = stage.room()
    const probe = stage.startProbe(transport, room)
    expect("attachments before connecting", probe.attachments, 0)
    transport.connect()
    await waitFor(() => probe.attachments === 1)
    await transport.close()
  },
})
