import { once } from "node:events"
import type { IncomingMessage, ServerResponse } from "node:http"
import { connect } from "node:net"
import type { Duplex } from "node:stream"
import { pino } from "pino"
import { createContractRealtime, waitFor } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { sendMuch } from "../realtime/testing/send-much.ts"
import { type App, createServer } from "./create-server.ts"
import { createListener, type HoldOptions, usualPatience } from "./intake.ts"
import { serveApp } from "./serve-app.ts"

const secret = "a secret of this test, long enough"

type Line = Record<string, unknown>

const much = Buffer.alloc(64 * 1024 * 1024)

/** Answers with the path, unless that asks it to fail; takes upgrades of `/taken` and never ends them. */
function createApp(): App & { unread: number } {
  const app = {
    /** Long answers that nobody has read, and that have ended. */
    unread: 0,
    async handle(request: IncomingMessage, response: ServerResponse) {
      if (request.url === "/much") {
        response.on("close", () => {
          if (!response.writableFinished) app.unread += 1
        })
        return void response.end(much)
      }
      if (request.url === "/throws") throw new Error("the app's own")
      if (request.url === "/throws-midway") {
        response.write("half an answer")
        throw new Error("the app's own")
      }
      if (request.url === "/reads") for await (const _ of request);
      if (request.url === "/destroys") for await (const _ of request) break
      if (request.url === "/api/realtime/publish") return answerAsNext(request, response)
      response.end(`app: ${request.url}`)
    },
    upgrade(request: IncomingMessage, socket: Duplex) {
      if (request.url !== "/taken") return false
      socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
      return true
    },
    close: async () => {},
  }
  return app
}

/** As Next.js calls a route handler. */
async function answerAsNext(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { handlers } = createContractRealtime({ publishers: [] })
  const headers = { "content-type": "application/json", "x-contract-user": '{"id":"alice"}' }
  const body = request as unknown as BodyInit
  const asked = new Request(`http://localhost${request.url}`, {
    ...{ method: "POST", headers, body, duplex: "half" },
  })
  const answer = await handlers.POST(asked)
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
}

const layouts = ["the app with its gateway", "the gateway alone", "the app alone"] as const

async function start(
  layout: (typeof layouts)[number],
  hold: HoldOptions & { trustedProxies?: string[]; closeTimeoutMs?: number } = {},
) {
  const lines: Line[] = []
  const logger = pino(
    { level: "warn" },
    { write: (line: string) => void lines.push(JSON.parse(line) as Line) },
  )
  const common = { port: 0, hostname: "127.0.0.1", logger, closeTimeoutMs: 300, ...hold }
  const app = createApp()
  const server =
    layout === "the app alone"
      ? await serveApp({ ...common, app })
      : await createServer({
          ...common,
          secret,
          createRealtime: (publisher) => createContractRealtime({ publishers: [publisher] }),
          ...(layout === "the app with its gateway" && { app }),
        })
  return { server, app, lines, port: Number(new URL(server.url).port) }
}

/** Sends bytes as they are; resolves with all that is answered, once the server has ended the connection. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1")
  let answer = ""
  socket.on("data", (chunk) => {
    answer += chunk
  })
  socket.write(bytes)
  await once(socket, "close")
  return answer
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
const get = (address: string, method = "GET") =>
  `${method} ${address} HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n\r\n`
const upgrade = (address: string) =>
  `GET ${address} HTTP/1.1\r\nHost: chat.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

/** Addresses that lead nowhere. */
const unreadable = ["*", "/%", "/rooms/%E0%A4%A", "/rooms/%00", "nowhere", "/%ff%fe"]
/** Odd ones that lead somewhere, were it to a page that says that there is nothing. */
const readable = [
  "//",
  "///",
  "/\\",
  "http://chat.example/rooms/1",
  "HTTP://chat.example",
  "http://[",
  "/?%E0%A4%A",
  "/socket.io-guide",
  "/_realtime",
]

describe.each(layouts)("%s", (layout) => {
  it("answers every address, and goes on", async () => {
    const { server, lines, port } = await start(layout)
    for (const address of unreadable) {
      for (const method of ["GET", "OPTIONS", "POST"])
        expect([method, address, statusOf(await exchange(port, get(address, method)))]).toEqual([
          method,
          address,
          400,
        ])
      expect([address, statusOf(await exchange(port, upgrade(address)))]).toEqual([address, 400])
    }
    const isAlone = layout === "the gateway alone"
    for (const address of readable) {
      const answer = await exchange(port, get(address))
      const expected = isAlone ? 404 : 200
      expect([address, statusOf(answer)]).toEqual([address, expected])
      expect([address, statusOf(await exchange(port, get(address, "TRACE")))]).toEqual([address, 405])
      expect([address, statusOf(await exchange(port, upgrade(address)))]).toEqual([address, 404])
    }
    if (!isAlone)
      expect(await exchange(port, get("http://chat.example/rooms/1?x"))).toContain("app: /rooms/1?x")
    expect(lines).toEqual([])
    await server.close()
  })

  it("answers whoever offers another protocol as if they hadn't", async () => {
    const { server, lines, port } = await start(layout)
    const offer =
      "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    const socket = connect(port, "127.0.0.1")
    let answers = ""
    socket.on("data", (chunk) => {
      answers += chunk
    })
    socket.write(`GET /offered HTTP/1.1\r\nHost: x\r\n${offer}`)
    await waitFor(() => answers.includes("\r\n\r\n"))
    // And the connection goes on.
    socket.write(get("/next"))
    await once(socket, "close")
    const status = layout === "the gateway alone" ? "404" : "200"
    expect(answers.match(/(?<=HTTP\/1\.1 )\d+/g)).toEqual([status, status])
    expect(lines).toEqual([])
    await server.close()
  })

  it("reads no more of a body than is wanted, answers, and ends", async () => {
    const { server, lines, port } = await start(layout)
    const isAlone = layout === "the gateway alone"
    const hasGateway = layout !== "the app alone"
    const bodies: [path: string, status: number, maxMiB: number, headers?: string][] = [
      ["/nobody-reads", isAlone ? 404 : 200, 0],
      ["/%", 400, 0],
    ]
    if (!isAlone) bodies.push(["/reads", 413, 25], ["/api/realtime/publish", 413, 4])
    if (hasGateway)
      bodies.push(
        ["/_realtime/publish", 401, 0],
        ["/_realtime/publish", 413, 16, `Authorization: Bearer ${secret}\r\n`],
        ["/socket.io/?EIO=4&transport=polling", 400, 0],
      )
    // Whoever destroys the stream may lose the answer, and harms nobody else.
    if (!isAlone) await sendMuch(port, "/destroys", "")
    for (const [path, status, maxMiB, headers = ""] of bodies) {
      const { answer, sent } = await sendMuch(port, path, headers)
      expect([path, statusOf(answer)]).toEqual([path, status])
      // Pages tell people so, whichever of the two refused it.
      if (status === 413 && path !== "/_realtime/publish")
        expect(answer).toMatch(/\{"error":\{"code":"message-too-large","message":"/)
      // And what the buffers of a connection hold.
      expect([path, sent < (maxMiB + 16) * 1024 * 1024]).toEqual([path, true])
    }
    expect(lines).toEqual([])
    await server.close()
  })

  it("keeps a connection whose short body nobody reads", async () => {
    const { server, port } = await start(layout)
    const socket = connect(port, "127.0.0.1")
    let answers = ""
    socket.on("data", (chunk) => {
      answers += chunk
    })
    socket.write("POST /nobody-reads HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12")
    await waitFor(() => answers.includes("\r\n\r\n"))
    socket.write(`345${get("/second")}`)
    await once(socket, "close")
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toHaveLength(2)
    await server.close()
  })

  it("says while it closes that it does, to whoever asks how it is, and answers the others", async () => {
    const { server, port } = await start(layout, { closeTimeoutMs: 30_000 })
    const asked = ["/api/health", "/api/ready", "/other"].map(async (address) => {
      const socket = connect(port, "127.0.0.1")
      let answers = ""
      socket.on("data", (chunk) => {
        answers += chunk
      })
      // A second request has begun with the first, so that closing waits for its end.
      socket.write(`GET / HTTP/1.1\r\nHost: x\r\n\r\nGET ${address} HTTP/1.1\r\nHost: x\r\n`)
      await waitFor(() => answers.includes("\r\n\r\n"))
      return async () => {
        answers = ""
        socket.write("Connection: close\r\n\r\n")
        await once(socket, "close")
        return [address, statusOf(answers), answers.includes('{"status":"closing"}')]
      }
    })
    const finish = await Promise.all(asked)
    const closed = server.close()
    expect(await Promise.all(finish.map((end) => end()))).toEqual([
      ["/api/health", 503, true],
      ["/api/ready", 503, true],
      ["/other", layout === "the gateway alone" ? 404 : 200, false],
    ])
    await closed
  })

  it("answers while it closes what was being asked, and ends each connection with that", async () => {
    const { server, port } = await start(layout, { closeTimeoutMs: 30_000 })
    const open = async (bytes: string) => {
      const socket = connect(port, "127.0.0.1")
      const heard = { text: "", socket, ended: once(socket, "close") }
      socket.on("data", (chunk) => {
        heard.text += chunk
      })
      await once(socket, "connect")
      socket.write(bytes)
      return heard
    }
    const whole = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    const silent = await open("")
    const idle = await open(whole)
    const [half, body] = [
      "GET /other HTTP/1.1\r\nHost: x\r\n",
      "POST /reads HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12",
    ]
    const asking = [
      await open(whole + half),
      ...(layout === "the gateway alone" ? [] : [await open(whole + body)]),
    ]
    // What comes with an answer has been taken in; and so has what connected before it.
    await waitFor(() => [idle, ...asking].every(({ text }) => text.includes("\r\n\r\n")))
    for (const heard of asking) heard.text = ""
    const closed = server.close()
    await Promise.all([silent.ended, idle.ended])
    expect(silent.text).toBe("")
    for (const [index, heard] of asking.entries()) {
      // Nobody is answered on it after this: what is asked there goes unheard, and is asked again elsewhere.
      heard.socket.write(`${["\r\n", "345"][index]}${whole}`)
      await heard.ended
      expect(heard.text.match(/HTTP\/1\.1 \d+/g)).toEqual([
        `HTTP/1.1 ${layout === "the gateway alone" ? 404 : 200}`,
      ])
      expect(heard.text).toMatch(/^connection: close\r$/im)
    }
    await closed
  })

  it("is held by nobody who sends slowly, and serves others meanwhile", async () => {
    const patience = { headMs: 400, requestMs: 800, silenceMs: 10_000 }
    const { server, lines, port } = await start(layout, { patience })
    const head = `POST /reads HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n`
    const hook =
      "POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    const drips: [whole: string, drop: string][] = [
      ["", ""],
      ["GET / HTTP/1.1\r\nHost: x\r\n", "X-More: x\r\n"],
      ["G", "E"],
      [`${head}\r\n`, "x"],
      [hook, "x"],
      [`POST /reads HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`, "1\r\nx\r\n"],
    ]
    const ended = drips.map(async ([whole, drop]) => {
      const socket = connect(port, "127.0.0.1")
      socket.on("error", () => {})
      socket.resume()
      socket.write(whole)
      const timer = setInterval(() => void socket.write(drop), 50)
      // What is still sent then may be answered by a reset.
      await new Promise<void>((resolve) => socket.once("close", () => resolve()))
      clearInterval(timer)
    })
    // On a busy machine a request may itself be late, and is sent again.
    await waitFor(async () => statusOf(await exchange(port, get("/")).catch(() => "")) > 0)
    await Promise.all(ended)
    expect(lines).toEqual([])
    await server.close()
  })

  it("takes so many connections from one address, and more when one of them has gone", async () => {
    // No proxy's word is taken here: the test's connections are its own address's.
    const { server, lines, port } = await start(layout, {
      ...{ maxConnections: 100, maxConnectionsPerAddress: 2, trustedProxies: ["192.0.2.1"] },
    })
    const sockets = Array.from({ length: 5 }, () => {
      const socket = connect(port, "127.0.0.1")
      socket.on("error", () => {})
      return socket.resume()
    })
    const isClosed = () => sockets.filter(({ closed }) => closed)
    await waitFor(() => isClosed().length === 1)
    expect(lines.map(({ address, level }) => [address, level])).toEqual([["127.0.0.1", 40]])
    sockets.find(({ closed }) => !closed)?.destroy()
    await waitFor(async () => statusOf(await exchange(port, get("/")).catch(() => "")) > 0)
    expect(isClosed()).toHaveLength(2)
    for (const socket of sockets) socket.destroy()
    await server.close()
  })

  it("closes in time, whoever holds a connection", async () => {
    const { server, port } = await start(layout)
    const open = [
      "",
      "GET / HTTP/1.1\r\nHost: x\r\n",
      upgrade("/taken"),
      upgrade("/nothing"),
      upgrade("/socket.io/?EIO=4&transport=websocket"),
    ]
    const ended = open.map(async (bytes) => {
      const socket = connect(port, "127.0.0.1")
      socket.on("error", () => {})
      socket.resume()
      socket.write(bytes)
      await once(socket, "close")
    })
    expect(statusOf(await exchange(port, get("/")))).toBeGreaterThan(0)
    await server.close()
    await Promise.all(ended)
  })
})

describe.each(["the app with its gateway", "the app alone"] as const)("%s", (layout) => {
  it("doesn't keep an answer for long that nobody reads", async () => {
    const patience = { headMs: 10_000, requestMs: 10_000, silenceMs: 500 }
    const { server, app, lines, port } = await start(layout, { patience })
    const sockets = Array.from({ length: 3 }, () => {
      const socket = connect(port, "127.0.0.1")
      socket.on("error", () => {})
      socket.write("GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
      return socket.pause()
    })
    await waitFor(() => app.unread === sockets.length)
    for (const socket of sockets) socket.destroy()
    expect(lines).toEqual([])
    await server.close()
  })

  it("answers for an app that fails, says so once, and never passes half an answer for a whole one", async () => {
    const { server, lines, port } = await start(layout)
    const answer = await exchange(port, get("/throws"))
    expect(statusOf(answer)).toBe(500)
    expect(answer).not.toContain("the app's own")
    // Without the last chunk, which would say that it is whole.
    expect(await exchange(port, get("/throws-midway"))).not.toMatch(/0\r\n\r\n$/)
    expect(lines.map(({ msg, path }) => [msg, path])).toEqual([
      ["unable to answer a request", "/throws"],
      ["unable to answer a request", "/throws-midway"],
    ])
    await server.close()
  })
})

it("waits for nobody for longer than is said", () => {
  const { headersTimeout, requestTimeout, timeout } = createListener({})
  expect({ headersTimeout, requestTimeout, timeout }).toEqual({
    ...{ headersTimeout: usualPatience.headMs, requestTimeout: usualPatience.requestMs },
    timeout: usualPatience.silenceMs,
  })
  expect(headersTimeout).toBeLessThanOrEqual(20_000)
})
