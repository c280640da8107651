import { expect, it, vi } from "vitest"
import { linesForNeighbours, localAddresses } from "./local-addresses.ts"

const networkInterfaces = vi.hoisted(() => vi.fn())
vi.mock("node:os", async (original) => ({
  ...(await original<typeof import("node:os")>()),
  networkInterfaces,
}))

it("tells this machine's addresses in its networks, and none where the system refuses to say", () => {
  const of = (address: string, family: string, internal = false) => ({ address, family, internal })
  networkInterfaces.mockReturnValueOnce({
    lo: [of("127.0.0.1", "IPv4", true)],
    eth0: [of("192.168.1.5", "IPv4"), of("fe80::1", "IPv6")],
  })
  expect(localAddresses()).toEqual(["192.168.1.5"])
  networkInterfaces.mockImplementationOnce(() => {
    throw new Error("uv_interface_addresses returned Unknown system error 13")
  })
  expect(localAddresses()).toEqual([])
})

it.each([
  [{ REALTIME_PROVIDER: ["socketio"] }, "http://192.168.1.5:3000"],
  [{ REALTIME_PROVIDER: ["pusher"] }, "http://192.168.1.5:3000"],
  // An emulator's, of a provider that isn't used.
  [{ REALTIME_PROVIDER: ["socketio"], PUSHER_HOST: "127.0.0.1" }, "http://192.168.1.5:3000"],
  [{ REALTIME_PROVIDER: ["socketio"], SOCKET_URL: "http://localhost:3001" }, "socketio is at localhost"],
  [{ REALTIME_PROVIDER: ["pusher"], PUSHER_HOST: "127.0.0.1" }, "pusher is at localhost"],
  [{ REALTIME_PROVIDER: ["pusher"], PUSHER_HOST: "::1" }, "pusher is at localhost"],
  [{ REALTIME_PROVIDER: ["socketio"], SOCKET_URL: "http://[::1]:3001" }, "socketio is at localhost"],
  [{ REALTIME_PROVIDER: ["ably"], ABLY_ENDPOINT: "localhost" }, "ably is at localhost"],
  [
    {
      REALTIME_PROVIDER: ["socketio", "pusher", "ably"],
      PUSHER_HOST: "127.0.0.1",
      ABLY_ENDPOINT: "localhost",
    },
    "pusher and ably are at localhost",
  ],
] satisfies [Parameters<typeof linesForNeighbours>[0], string][])(
  "says of %j what a phone beside it can open, or why not",
  (env, text) => {
    networkInterfaces.mockReturnValueOnce({
      eth0: [{ address: "192.168.1.5", family: "IPv4", internal: false }],
    })
    expect(linesForNeighbours(env, "3000")).toEqual([expect.stringContaining(text)])
  },
)
