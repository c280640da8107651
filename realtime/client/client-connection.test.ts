import { expect, it } from "vitest"
import { RealtimeError } from "../errors.ts"
import type { RealtimeTransport, TransportStatus } from "../transport.ts"
import { createClientConnection } from "./client-connection.ts"

/** A connection whose transports the test speaks for. */
function setup() {
  const transports: { provider: string; say(state: TransportStatus["state"]): void }[] = []
  const told: unknown[] = []
  let isOpen = true
  const carrier = createClientConnection({
    createTransport() {
      let status: TransportStatus = { state: "connecting" }
      let listener = (_: TransportStatus) => {}
      const transport = {
        provider: `provider ${transports.length}`,
        capabilities: { maxSignalsPerSecond: 1 },
        get status() {
          return status
        },
        onStatus(given: typeof listener) {
          listener = given
          return () => {}
        },
        connect: () => void told.push("connect"),
        say(state: TransportStatus["state"]) {
          status = { state }
          listener(status)
        },
      }
      transports.push(transport)
      return transport as unknown as RealtimeTransport
    },
    isOpen: () => isOpen,
    onState: (isConnected) => void told.push(isConnected),
    onError() {},
  })
  carrier.connection.subscribe(() => told.push(carrier.connection.status.state))
  const close = () => {
    isOpen = false
  }
  return { carrier, transports, told, close }
}

it("tells the application of a change before the client, and the client while it is open", () => {
  const { carrier, transports, told, close } = setup()
  transports[0]?.say("connected")
  transports[0]?.say("reconnecting")
  carrier.connection.retry()
  close()
  transports[0]?.say("closed")
  carrier.connection.retry()
  expect(told).toEqual(["connected", true, "reconnecting", false, "connect", "closed"])
})

it("hears nothing more of a transport that another has taken the place of", () => {
  const { carrier, transports, told } = setup()
  carrier.renew()
  transports[0]?.say("closed")
  transports[1]?.say("connected")
  expect(told).toEqual(["connecting", "connected", true])
  expect(carrier.connection.provider).toBe("provider 1")
})

it("counts signals anew with another provider, and with no other call", () => {
  const { carrier } = setup()
  const pace = carrier.signalPace()
  expect(carrier.signalPace()).toBe(pace)
  carrier.renew()
  expect(carrier.signalPace()).not.toBe(pace)
})

it("that has failed for good says so, whatever its transport says", () => {
  const { carrier, transports } = setup()
  const error = new RealtimeError("session-changed", { message: "somebody else" })
  carrier.fail(error)
  transports[0]?.say("closed")
  expect(carrier.connection.status).toEqual({ state: "failed", error })
})
