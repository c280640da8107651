import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { pino } from "pino"
import { io } from "socket.io-client"
import { createContractHttp, createContractRealtime, waitFor } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { foreignFormAnswer } from "#lib/security/foreign-form.ts"
import { createServer as createChatServer } from "./create-server.ts"
import { defaultSite, findNginx, guideSite, shippedSite, startNginx } from "./testing/nginx.ts"

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

  it("logs no address by which whoever reads it could come in", async () => {
    await using release = await startRelease("one.js")
    await using nginx = await startNginx([release.port])
    const referer = `${nginx.url}/invitations/secret`
    for (const [path, headers] of [
      ["/devices/secret", {}],
      ["/%64evices/secret", {}],
      ["/invitations/secret?a=b", {}],
      ["/?next=/invitations/secret", {}],
      ["/?next=%2Finvitations%2Fsecret", {}],
      ["/_next/static/one.js", { referer }],
      ["/rooms/lobby", { referer: `${nginx.url}/rooms/last` }],
    ] as const)
      await fetch(`${nginx.url}${path}`, { headers })
    const logged = await waitFor(() => {
      const text = readFileSync(nginx.logFile, "utf8")
      return text.includes("GET /rooms/lobby") && text
    }, "the log's last line")
    expect(logged).not.toContain("secret")
  })
})

const upgrading =
  'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'
const sayingHost = "proxy_set_header X-Forwarded-Host $http_host;"

/** The gateway, beside an app that answers with the headers by which Next.js judges a form. */
async function startChat(options: { ownOrigins?: string[]; trustedProxies?: string[] }) {
  const lines: string[] = []
  const server = await createChatServer({
    ...{ port: 0, hostname: "127.0.0.1", secret: "a secret of this test, long enough", ...options },
    createRealtime: (publisher) => createContractRealtime({ publishers: [publisher] }),
    app: {
      handle({ headers }, response) {
        response.end(JSON.stringify([headers.host, headers["x-forwarded-host"]]))
      },
      upgrade: () => false,
      close: async () => {},
    },
    logger: pino({ level: "warn" }, { write: (line) => void lines.push(line) }),
  })
  return { server, lines, [Symbol.asyncDispose]: () => server.close() }
}

type Chat = Awaited<ReturnType<typeof startChat>>

/** By what a page of this origin connects; null when it is refused. */
async function connect({ server }: Chat, url: string, origin: string): Promise<string | null> {
  const http = createContractHttp(server.realtime as ReturnType<typeof createContractRealtime>, {
    ...{ id: "alice", name: "Alice" },
  })
  const { ticket } = (await http.credentials("socketio", {})) as { ticket: string }
  const socket = io(url, {
    ...{ auth: { ticket }, extraHeaders: { origin }, reconnection: false, forceNew: true },
    ...{ transports: ["websocket", "polling"], tryAllTransports: true, upgrade: false },
  })
  const transport = await new Promise<string | null>((resolve) => {
    socket.on("connect", () => resolve(socket.io.engine.transport.name))
    socket.on("connect_error", () => resolve(null))
  })
  socket.disconnect()
  return transport
}

const sentByScript = { "next-action": "x" }
const sentByBrowser = { "content-type": "multipart/form-data; boundary=x" }

/** What stands in place of the host when a form is sent by a page of this origin; what a person is told where it isn't taken. */
async function sendForm(url: string, headers: Record<string, string>): Promise<unknown> {
  const send = async (by: Record<string, string>) => {
    const response = await fetch(url, { method: "POST", headers: { ...by, ...headers } })
    if (response.status === 403) return [response.headers.get("content-type"), await response.text()]
    const [host, forwarded] = (await response.json()) as [string, string?]
    return forwarded ?? host
  }
  const answer = await send(sentByScript)
  expect(await send(sentByBrowser)).toEqual(answer)
  return answer
}

const isTold = ["text/plain", foreignFormAnswer]

describe.skipIf(!findNginx())(`behind nginx${unless}`, () => {
  it.each([
    ["as it ships", shippedSite, "websocket"],
    ["as the guide to deploying shows it", guideSite, "websocket"],
    ["that only says which host was asked for", defaultSite(upgrading + sayingHost), "websocket"],
    [
      "that names the scheme's port",
      defaultSite(`${upgrading} proxy_set_header Host chat.example:80;`),
      "websocket",
    ],
    ["that passes no upgrade on", defaultSite("proxy_set_header Host $http_host;"), "polling"],
  ])("%s the app's own pages are known, and no others", async (_, site, transport) => {
    await using chat = await startChat({})
    await using nginx = await startNginx([chat.server.port], site)
    const origin = site.includes("chat.example:80") ? "http://chat.example" : nginx.url
    expect(await connect(chat, nginx.url, origin)).toBe(transport)
    expect(chat.lines).toEqual([])
    expect(await connect(chat, nginx.url, "http://evil.example")).toBeNull()
    expect(await sendForm(nginx.url, { origin })).toMatch(/^(127\.0\.0\.1:\d+|chat\.example(:80)?)$/)
    expect(await sendForm(nginx.url, { origin: "http://evil.example" })).toEqual(isTold)
  })

  it("that keeps the host to itself, what to set is said once for each origin", async () => {
    await using chat = await startChat({})
    await using nginx = await startNginx([chat.server.port], defaultSite(upgrading))
    for (const origin of [nginx.url, nginx.url, "http://evil.example"])
      expect(await connect(chat, nginx.url, origin)).toBeNull()
    expect(await sendForm(nginx.url, { origin: nginx.url })).toEqual(isTold)
    expect(chat.lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        origin: nginx.url,
        host: "throughline",
        from: "127.0.0.1",
        msg: expect.stringContaining("APP_ORIGIN"),
      },
      { origin: "http://evil.example" },
    ])
    for (let n = 0; n < 100; n += 1) await sendForm(nginx.url, { origin: `http://evil-${n}.example` })
    expect(chat.lines).toHaveLength(20)
  })

  it("that keeps the host to itself, APP_ORIGIN or a browser of https says it", async () => {
    const origin = "https://chat.example"
    await using chat = await startChat({ ownOrigins: [origin] })
    await using nginx = await startNginx([chat.server.port], defaultSite(upgrading))
    expect(await connect(chat, nginx.url, origin)).toBe("websocket")
    expect(await sendForm(nginx.url, { origin })).toBe("chat.example")
    expect(await sendForm(nginx.url, { origin: nginx.url })).toEqual(isTold)
    expect(await sendForm(nginx.url, { origin: nginx.url, "sec-fetch-site": "same-origin" })).toBe(
      new URL(nginx.url).host,
    )
    expect(await sendForm(nginx.url, { origin: nginx.url, "sec-fetch-site": "same-site" })).toEqual(isTold)
  })

  it("nobody else's word on the host is taken", async () => {
    await using chat = await startChat({ trustedProxies: ["192.0.2.1"] })
    await using nginx = await startNginx([chat.server.port], defaultSite(upgrading + sayingHost))
    expect(await connect(chat, nginx.url, nginx.url)).toBeNull()
    expect(await sendForm(nginx.url, { origin: nginx.url })).toEqual(isTold)
  })
})
