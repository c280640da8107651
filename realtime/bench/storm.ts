import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as z from "zod/mini"
import { defineChannel } from "../channel.ts"
import type { MessageLog } from "../log/message-log.ts"
import { createSqliteLog } from "../log/sqlite.ts"
import { createRealtime } from "../server/create-realtime.ts"

const readers = 2_000
const missed = 100

const room = defineChannel("room:{room}", {
  messages: { said: z.object({ text: z.string() }) },
  signals: {},
  presence: z.object({}),
})

/**
 * How long it takes until all who come back to one cursor at once have what they
 * missed, and how many reads that costs.
 */
async function measure(answer: "by the route" | "each by itself"): Promise<{ ms: number; reads: number }> {
  const folder = mkdtempSync(join(tmpdir(), "throughline-storm-"))
  const log = createSqliteLog({ path: join(folder, "log.db") })
  let reads = 0
  const counted: MessageLog = {
    ...log,
    readAfter(...request) {
      reads += 1
      return log.readAfter(...request)
    },
  }
  const realtime = createRealtime({
    channels: { room },
    identify: () => ({ id: "reader" }),
    authorize: () => true,
    log: counted,
    publishers: [],
  })
  const channel = room({ room: "storm" })
  for (let n = 0; n < missed; n += 1) await realtime.publish(channel, "said", { text: "x".repeat(100) })
  const url = `http://storm.test/api/realtime/history?channel=${encodeURIComponent(channel.name)}&after=0&limit=500`
  const read = {
    "by the route": async () => (await realtime.handlers.GET(new Request(url))).text(),
    "each by itself": async () => JSON.stringify(await counted.readAfter(channel.name, 0, 500)),
  }[answer]
  const started = performance.now()
  const answers = await Promise.all(Array.from({ length: readers }, read))
  const ms = performance.now() - started
  for (const text of answers)
    if ((JSON.parse(text) as { messages: unknown[] }).messages.length !== missed)
      throw new Error("incomplete")
  await realtime.close()
  rmSync(folder, { recursive: true, force: true })
  return { ms, reads }
}

export const storm = {
  scenario: `${readers.toLocaleString("en")} readers return to one cursor, ${missed} messages behind`,
  against: "each reads the log",
  ours: () => measure("by the route"),
  control: () => measure("each by itself"),
}
