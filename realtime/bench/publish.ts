import { startAblyEmulator } from "throughline-emulators/ably"
import { startPusherEmulator } from "throughline-emulators/pusher"
import { v7 as uuidv7 } from "uuid"
import { startPostgres } from "../testing/postgres.ts"
import { startMetered } from "./meter.ts"
import { median, type Pair } from "./report.ts"

/** What ours may take over an empty handler, a commit and the provider's own request, in ms. */
const allowedMs = 1.5
const requests = 300

const services = {
  async pusher() {
    const emulator = await startPusherEmulator()
    return { options: emulator.serverOptions() as object, close: () => emulator.close() }
  },
  async ably() {
    const emulator = await startAblyEmulator()
    const { endpoint, port } = emulator.clientOptions
    return { options: { key: emulator.key, endpoint, port: String(port) }, close: () => emulator.close() }
  },
}

/**
 * A publish by the route handler, one after another: PostgreSQL that forces each commit to
 * the disk, the provider's emulator.
 */
export const publishing = (["pusher", "ably"] as const).map((provider) => ({
  about: {
    scenario: `serverless publish over ${provider}`,
    ...{ metric: "p50 of the request", against: "a handler that commits a row and calls the SDK" },
  },
  async measure(rounds: number): Promise<{ pairs: Pair[]; target: string }> {
    await using postgres = await startPostgres({ settings: { fsync: "on" } })
    const service = await services[provider]()
    const parameters = [provider, postgres.connectionString, JSON.stringify(service.options)]
    await using server = await startMetered("server-publish.ts", parameters)
    const post = async (path: string) => {
      const messages = [{ id: uuidv7(), event: "said", payload: { text: "x".repeat(100) } }]
      const started = performance.now()
      const response = await fetch(`${server.url}/${path}`, {
        method: "POST",
        body: JSON.stringify({ channel: server.token, messages }),
      })
      await response.text()
      if (!response.ok) throw new Error(`/${path} answered ${response.status}`)
      return performance.now() - started
    }
    const pairs: Pair[] = []
    for (let round = 0; round <= rounds; round += 1) {
      const times = { control: [] as number[], ours: [] as number[] }
      for (let n = 0; n < requests; n += 1) {
        times.control.push(await post("control"))
        times.ours.push(await post("ours"))
      }
      // The first round warms up.
      if (round > 0) pairs.push({ control: median(times.control), ours: median(times.ours) })
    }
    await service.close()
    const control = median(pairs.map((pair) => pair.control))
    return { pairs, target: `<= ${((control + allowedMs) / control).toFixed(2)}` }
  },
}))
