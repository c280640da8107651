import { describeTransportContract } from "throughline/testing"
import { afterAll, beforeAll, describe } from "vitest"
import { createPusherBackend } from "../../testing/pusher-backend.ts"
import { findSoketi, type Soketi, startSoketi } from "../../testing/soketi.ts"
import { startTcpProxy } from "../../testing/tcp-proxy.ts"

const isMissing = !findSoketi()

describe.skipIf(isMissing)(isMissing ? "soketi (skipped: soketi was not found)" : "soketi", () => {
  let soketi: Soketi
  beforeAll(async () => {
    soketi = await startSoketi()
  })
  afterAll(() => soketi?.[Symbol.asyncDispose]())

  describeTransportContract({
    name: "pusher, soketi",
    async start() {
      const wire = await startTcpProxy(soketi)
      const { id, key, secret } = soketi.nextApp()
      return createPusherBackend({
        options: { appId: id, key, secret, cluster: "mt1", host: soketi.host, port: wire.port, tls: false },
        dropConnections: wire.dropConnections,
        startOutage: wire.startOutage,
        close: async () => wire[Symbol.asyncDispose](),
        deliveryTimeoutMs: 500,
      })
    },
  })
})
