import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { RealtimeError } from "../errors.ts"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import type { RealtimeTransport } from "../transport.ts"
import { createLazyTransport } from "./lazy-transport.ts"

/** A limit for what never comes, not a measure: the machine may be busy. */
const patient = { timeout: 15_000 }

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }))
afterEach(() => void vi.useRealTimers())

/** A page whose downloads do as the test says, one after the other. */
async function open() {
  const backend = await startMemoryBackend()
  const downloads: PromiseWithResolvers<RealtimeTransport>[] = []
  const told: string[] = []
  const transport = createLazyTransport({
    provider: "memory",
    load() {
      const download = Promise.withResolvers<RealtimeTransport>()
      downloads.push(download)
      return download.promise
    },
    onError: (error, { stage }) => void told.push(`${stage}: ${(error as RealtimeError).code}`),
  })
  const create = () => backend.createTransport({ id: "alice" })
  transport.connect()
  return { transport, downloads, told, create, [Symbol.asyncDispose]: backend[Symbol.asyncDispose] }
}

const connected = (transport: RealtimeTransport) =>
  vi.waitFor(() => expect(transport.status.state).toBe("connected"), patient)

it("says that a download doesn't come, and begins another", async () => {
  await using page = await open()
  await vi.advanceTimersByTimeAsync(14_999)
  expect([page.transport.status.state, page.told]).toEqual(["connecting", []])
  await vi.advanceTimersByTimeAsync(1)
  expect(page.transport.status).toMatchObject({ state: "reconnecting", error: { code: "timeout" } })
  expect(page.told).toEqual(["load the provider's code: timeout"])
  await vi.advanceTimersByTimeAsync(3_000)
  expect(page.downloads).toHaveLength(2)
  page.downloads[1]?.resolve(page.create())
  await connected(page.transport)
  // The one that nobody waits for any more.
  const late = page.create()
  page.downloads[0]?.resolve(late)
  await vi.waitFor(() => expect(late.status.state).toBe("closed"), patient)
  await page.transport.close()
})

it("uses a download that comes late when no other came first, and begins none then", async () => {
  await using page = await open()
  await vi.advanceTimersByTimeAsync(15_000)
  page.downloads[0]?.resolve(page.create())
  await connected(page.transport)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(page.downloads).toHaveLength(1)
  await page.transport.close()
})

it("tries a download again that failed, says so once, and ends where the provider refuses its configuration", async () => {
  await using page = await open()
  for (let n = 0; n < 3; n += 1) {
    page.downloads[n]?.reject(new TypeError("failed to fetch dynamically imported module"))
    await vi.advanceTimersByTimeAsync(3_000)
  }
  expect([page.downloads.length, page.told]).toEqual([4, ["load the provider's code: not-connected"]])
  page.downloads[3]?.reject(new RealtimeError("invalid-config", { message: "no key" }))
  await vi.advanceTimersByTimeAsync(60_000)
  expect([page.downloads.length, page.transport.status.state]).toEqual([4, "failed"])
})
