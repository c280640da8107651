import { randomUUID } from "node:crypto"
import { expect, it } from "vitest"
import { findPostgres, startPostgres } from "../testing/postgres.ts"
import { waitFor } from "../testing/wait-for.ts"
import type { LogEntry } from "./message-log.ts"
import { createPostgresLog } from "./postgres.ts"

const channels = ["a", "b", "c"]

it.skipIf(!findPostgres())(
  "the log in PostgreSQL loses nothing that it acknowledged when that is killed in the middle of committing groups, again and again",
  async () => {
    // As it is where it matters.
    await using postgres = await startPostgres({ settings: { fsync: "on", full_page_writes: "on" } })
    const log = createPostgresLog({ connectionString: postgres.connectionString })
    const acknowledged: { channel: string; id: string; seq: number }[] = []
    let refused = 0
    let isOver = false

    /**
     * Several messages of several channels in one commit, again until each is
     * acknowledged: the ids make that safe.
     */
    async function write(): Promise<void> {
      while (!isOver) {
        const group = Array.from({ length: 12 }, (_, index): LogEntry => {
          const channel = channels[index % channels.length] ?? "a"
          return { id: randomUUID(), channel, event: "said", payload: { text: "x" }, from: null }
        })
        for (let isKept = false; !isKept; ) {
          try {
            const results = await log.append(group)
            acknowledged.push(...results.map(({ id, seq }, index) => ({ ...group[index], id, seq }) as never))
            isKept = true
          } catch (error) {
            expect(error).toMatchObject({ code: "log-unavailable", retryable: true })
            refused += 1
            await new Promise((resolve) => setTimeout(resolve, 5))
          }
        }
      }
    }

    const writing = Promise.all(Array.from({ length: 8 }, write))
    for (let crash = 0; crash < 3; crash += 1) {
      const [kept, failed] = [acknowledged.length, refused]
      await waitFor(() => acknowledged.length > kept + 300, "messages")
      await postgres.kill()
      await waitFor(() => refused > failed, "writers to notice")
      await postgres.start()
    }
    const kept = acknowledged.length
    await waitFor(() => acknowledged.length > kept + 300, "messages after")
    isOver = true
    await writing

    for (const channel of channels) {
      const { messages } = await log.readAfter(channel, 0, 1_000_000)
      expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1))
      const promised = acknowledged.filter((message) => message.channel === channel)
      expect(new Map(messages.map(({ seq, id }) => [seq, id]))).toEqual(
        new Map(promised.toSorted((a, b) => a.seq - b.seq).map(({ seq, id }) => [seq, id])),
      )
    }
    await log.close()
  },
)
