import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { waitFor } from "throughline/testing"
import { expect, it, vi } from "vitest"
import { room } from "../chat/channels.ts"
import { parseEnv } from "../env/schema.ts"
import { createChat } from "./create.ts"

it("what is no longer kept is removed however long the log takes to be told what is done in a room", async () => {
  await using stack = new AsyncDisposableStack()
  const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-chat-"))
  stack.defer(() => rmSync(DATA_DIR, { recursive: true }))
  const env = parseEnv({
    ...{ SESSION_SECRET: "a session secret of this test, long enough", DATA_DIR, LOG_LEVEL: "silent" },
    ...{ REALTIME_PROVIDER: "socketio", LOG_RETENTION_MESSAGES: "1" },
  })
  const chat = await createChat({ env, publishers: [] })
  stack.defer(() => chat.close())
  const aki = { id: "aki", name: "Aki" }
  const { id } = await chat.rooms.create(aki, { name: "Harbour", isPrivate: false })
  const channel = room({ room: id })
  for (const text of ["one", "two", "three"])
    await chat.realtime.publish(channel, "text-sent", { text }, { from: aki })

  const { promise, reject } = Promise.withResolvers<never>()
  vi.spyOn(chat.realtime, "publishBatch").mockReturnValue(promise)
  const applied = chat.applyRetention()
  await waitFor(async () => (await chat.realtime.history(channel)).messages.length === 1, "the retention")
  reject(new Error("the log is away"))
  expect(await applied).toEqual({ messages: 2, files: 0 })
})
