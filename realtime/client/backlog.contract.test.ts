import { contractChannels } from "throughline/testing"
import { expect, test } from "vitest"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import { createContractHttp } from "../testing/transport-contract/backend.ts"
import { waitFor, waitLimit } from "../testing/wait-for.ts"
import { createClient } from "./create-client.ts"

const missed = 100_000
/** Beside other work they take nine seconds. */
waitLimit.ms = 45_000

test("a hundred thousand missed messages arrive in pages, and the page can do other things meanwhile", async () => {
  await using backend = await startMemoryBackend()
  const room = contractChannels.room({ room: "backlog" })
  const { epoch } = await backend.realtime.head(room)
  for (let n = 0; n < missed; n += 1_000) {
    await backend.realtime.publishBatch(
      Array.from({ length: 1_000 }, (_, index) => ({
        channel: room,
        event: "said",
        payload: { text: String(n + index) },
      })),
    )
  }
  const user = { id: "away" }
  const http = createContractHttp(backend.realtime, user)
  const client = createClient({
    transport: backend.createTransport(user),
    http: {
      ...http,
      async history(...request) {
        // A network answers in another turn.
        await new Promise((resolve) => setTimeout(resolve, 0))
        return http.history(...request)
      },
    },
  })
  let last = 0
  let largest = 0
  const turns = new Set<number>()
  let turn = 0
  const counting = setInterval(() => {
    turn += 1
  }, 0)
  client.channel(room).subscribe(
    {
      onMessages(messages) {
        // One comparison a page: a hundred thousand would take longer than what is tested.
        expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => last + 1 + index))
        last += messages.length
        largest = Math.max(largest, messages.length)
        turns.add(turn)
      },
    },
    { since: { epoch, seq: 0 } },
  )
  client.open()
  await waitFor(() => last === missed, "the last of them")
  clearInterval(counting)
  await client.close()
  expect(largest).toBeLessThanOrEqual(500)
  // Timers ran in between: a person could scroll.
  expect(turns.size).toBeGreaterThan(20)
})
