import { createServer } from "node:http"
import { networkInterfaces } from "node:os"
import { expect, it } from "vitest"
import { reachableHost } from "#lib/env/local-addresses.ts"
import { listen } from "./listen.ts"

const isThere = (family: string) =>
  Object.values(networkInterfaces()).some((addresses) => addresses?.some((each) => each.family === family))

it.each(
  [undefined, "0.0.0.0", "127.0.0.1", "::", "::1"].filter(
    (hostname) => !hostname?.includes(":") || isThere("IPv6"),
  ),
)("a server that listens on %s says where it is reached", async (hostname) => {
  const http = createServer((_, response) => response.end("here"))
  const { url } = await listen(http, 0, hostname)
  expect(await (await fetch(url)).text()).toBe("here")
  http.closeAllConnections()
  await new Promise((resolve) => http.close(resolve))
})

it.skipIf(!isThere("IPv6"))("a server listens on an address with a zone, and is called by it", async () => {
  const [name] =
    Object.entries(networkInterfaces()).find(([, addresses]) =>
      addresses?.some(({ address }) => address === "::1"),
    ) ?? []
  const http = createServer((_, response) => response.end("here"))
  const { url, port } = await listen(http, 0, `::1%${name}`)
  expect(url).toBe(`http://[::1%${name}]:${port}`)
  expect(await (await fetch(`http://[::1]:${port}`)).text()).toBe("here")
  http.closeAllConnections()
  await new Promise((resolve) => http.close(resolve))
})

it.each([
  [undefined, "localhost"],
  ["0.0.0.0", "localhost"],
  ["::", "localhost"],
  ["192.168.1.5", "192.168.1.5"],
  ["::1", "::1"],
  ["fe80::1%eth0", "localhost"],
  ["chat.internal", "chat.internal"],
])("what listens on %s asks itself at %s", (hostname, host) => expect(reachableHost(hostname)).toBe(host))
