import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it } from "vitest"
import { findNginx, startNginx } from "./testing/nginx.ts"

const unless = findNginx() ? "" : " (skipped: nginx not found)"

/** A process of a release: it has the files of its own build, and says which request it was. */
async function startRelease(file: string) {
  const asked: { url: string | undefined; id: unknown }[] = []
  const http = createServer((request, response) => {
    asked.push({ url: request.url, id: request.headers["x-request-id"] })
    const isThere = request.url === `/_next/static/${file}` || request.url === "/api/health"
    response.writeHead(isThere ? 200 : 404).end(file)
  })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  return {
    asked,
    port: (http.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise<void>((resolve) => http.close(() => resolve()))
    },
  }
}

describe.skipIf(!findNginx())(`the configuration for nginx${unless}`, () => {
  it("finds the files of either release while both are at work, and names each request", async () => {
    await using earlier = await startRelease("earlier.js")
    await using later = await startRelease("later.js")
    await using nginx = await startNginx([earlier.port, later.port])
    for (let n = 0; n < 6; n += 1) {
      for (const file of ["earlier.js", "later.js"]) {
        const response = await fetch(`${nginx.url}/_next/static/${file}`)
        expect([response.status, await response.text()]).toEqual([200, file])
      }
    }
    expect((await fetch(`${nginx.url}/_next/static/nobody.js`)).status).toBe(404)
    expect((await fetch(`${nginx.url}/rooms/nobody`)).status).toBe(404)
    const pages = [...earlier.asked, ...later.asked].filter(({ url }) => url === "/rooms/nobody")
    expect(pages).toEqual([{ url: "/rooms/nobody", id: expect.stringMatching(/^[0-9a-f]{32}$/) }])
  })
})
