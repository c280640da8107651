import { getCACertificates, setDefaultCACertificates } from "node:tls"
import { startAblyEmulator } from "throughline-emulators/ably"
import { startPusherEmulator } from "throughline-emulators/pusher"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createTestCertificate } from "../../emulators/test-certificate.ts"
import { createFaultStage, type FaultStageOptions } from "../testing/fault-stage.ts"
import { waitFor } from "../testing/wait-for.ts"
import { createAblyTransport } from "./ably/client.ts"
import { createAblyPublisher } from "./ably/server.ts"
import { createPusherTransport } from "./pusher/client.ts"
import { createPusherPublisher } from "./pusher/server.ts"

const tls = createTestCertificate()
const app = { id: "1", key: "app-key", secret: "app-secret" }

type Started = FaultStageOptions & AsyncDisposable

/**
 * A server of the provider's protocol at a host and port of its own, and both our halves as
 * the environment leads them there.
 */
const starts: Record<string, (isSecure: boolean, isSaidToBe?: boolean) => Promise<Started>> = {
  async pusher(isSecure, isSaidToBe = isSecure) {
    const emulator = await startPusherEmulator({ apps: [app], ...(isSecure && { tls }) })
    const { appId, key, secret, host, port } = emulator.serverOptions()
    return {
      // A server of one's own has no cluster.
      publisher: createPusherPublisher({
        ...{ appId, key, secret, cluster: "", host, port: Number(port), tls: isSaidToBe },
      }),
      createTransport: (options) => createPusherTransport({ ...options, unavailableTimeoutMs: 500 }),
      [Symbol.asyncDispose]: () => emulator.close(),
    }
  },
  async ably(isSecure, isSaidToBe = isSecure) {
    const emulator = await startAblyEmulator(isSecure ? { tls } : {})
    const { host: endpoint, port } = emulator
    return {
      publisher: createAblyPublisher({ apiKey: emulator.key, endpoint, port, tls: isSaidToBe }),
      createTransport: createAblyTransport,
      [Symbol.asyncDispose]: () => emulator.close(),
    }
  },
}

describe.each(Object.entries(starts))("%s at a host of one's own", (_, start) => {
  const authorities = getCACertificates("default")
  beforeAll(() => setDefaultCACertificates([...authorities, tls.cert]))
  afterAll(() => setDefaultCACertificates(authorities))

  it.each([
    ["with TLS", true],
    ["without TLS", false],
  ])("%s carries messages, in both halves", async (_, isSecure) => {
    await using started = await start(isSecure)
    await using stage = createFaultStage(started)
    const room = stage.room()
    const { texts, subscription } = stage.openPage().join(room)
    await subscription.ready
    await stage.realtime.publish(room, "said", { text: "a" })
    await waitFor(() => texts.length === 1)
    expect(stage.told).toEqual([])
    expect((await stage.realtime.members(room)).count).toBe(0)
  })

  it("that doesn't speak the TLS that it is said to is told to the operator, and connects no page", async () => {
    await using started = await start(false, true)
    await using stage = createFaultStage({ ...started, deliveryTimeoutMs: 500 })
    expect((await stage.realtime.publish(stage.room(), "said", { text: "a" })).seq).toBe(1)
    expect(stage.told).toMatchObject([{ error: { code: "provider-unavailable", retryable: true } }])
    const page = stage.openPage()
    await waitFor(() => page.client.connection.status.error ?? page.states.includes("suspended"))
    expect(page.states).not.toContain("connected")
  })
})
