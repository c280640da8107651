import { createMemoryLog, createRealtime } from "throughline/server"
import { describe, expect, it } from "vitest"
import { rooms } from "./testing/foreign/channels.ts"

describe.each(Object.entries(rooms))("a channel whose schemas are of another library: %s", (_, room) => {
  const realtime = createRealtime({
    channels: { room: room as typeof rooms.zodRoom },
    identify: () => ({ id: "ann" }),
    authorize: () => true,
    log: createMemoryLog(),
    publishers: [],
  })

  it("keeps what the schema makes of what is sent", async () => {
    const lobby = (room as typeof rooms.zodRoom)({ room: "lobby" })
    await realtime.publish(lobby, "text-sent", { text: "  hello  ", at: "17" })
    const { messages } = await realtime.history(lobby)
    expect(messages.map(({ payload }) => payload)).toEqual([{ text: "hello", at: 17 }])
  })

  it("refuses what the schema refuses", async () => {
    const lobby = (room as typeof rooms.zodRoom)({ room: "lobby" })
    const sending = realtime.publish(lobby, "text-sent", { text: "x".repeat(21), at: 1 })
    await expect(sending).rejects.toMatchObject({ code: "invalid-payload" })
  })
})
