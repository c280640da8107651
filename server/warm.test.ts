import { existsSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { pino } from "pino"
import { expect, it } from "vitest"
import { projectDir } from "./env.ts"
import { listen } from "./listen.ts"
import { warm } from "./warm.ts"

it("asks for what a first visit does, one after the other, whatever they answer", async () => {
  const asked: string[] = []
  let underWay = 0
  const http = createServer((request, response) => {
    asked.push(request.url ?? "")
    underWay += 1
    expect(underWay).toBe(1)
    setImmediate(() => {
      underWay -= 1
      if (asked.length === 1) return response.destroy()
      response.writeHead(asked.length === 2 ? 307 : 500, { Location: "/elsewhere" }).end()
    })
  })
  const { url } = await listen(http, 0, "127.0.0.1")
  await warm(url, pino({ level: "silent" }))
  http.closeAllConnections()
  await new Promise((resolve) => http.close(resolve))

  expect(asked).toEqual(["/", "/rooms/lobby", "/api/realtime/head", "/api/chat/unread"])
  const files = [
    "page.tsx",
    "rooms/[room]/page.tsx",
    "api/realtime/[...path]/route.ts",
    "api/chat/unread/route.ts",
  ]
  for (const file of files) expect(existsSync(join(projectDir, "app", file))).toBe(true)
})
