import { expect, it, vi } from "vitest"
import { localAddresses } from "./local-addresses.ts"

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
