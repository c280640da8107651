import { getCACertificates, setDefaultCACertificates } from "node:tls"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createTestCertificate } from "../test-certificate.ts"
import { startPusherEmulator } from "./server.ts"
import { createSdkClient, createServerLibrary, record, tapSockets, until } from "./test-clients.ts"

const app = { id: "1", key: "app-key", secret: "app-secret" }

describe("TLS, by the official SDKs, which trust the certificate", () => {
  const tls = createTestCertificate()
  const authorities = getCACertificates("default")
  beforeAll(() => setDefaultCACertificates([...authorities, tls.cert]))
  afterAll(() => setDefaultCACertificates(authorities))

  it("§1.1d §10a client and library are told to use it, and meet", async () => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator({ tls, apps: [{ ...app, forceTLS: true }] })
    expect(emulator.url).toMatch(/^https:/)
    const library = createServerLibrary(emulator)
    using client = createSdkClient(emulator)
    const received = record(await client.subscribe("private-room"))
    await library.trigger("private-room", "greeting", { hello: "world" })
    await until(() => received.length === 1)
    expect(received).toEqual([{ event: "greeting", data: { hello: "world" } }])
    expect(tap.urls).toEqual([expect.stringMatching(/^wss:\/\/127\.0\.0\.1:\d+\/app\/app-key/)])
  })

  it("§1.1d without forceTLS: false the client uses it", async () => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator({ tls })
    using client = createSdkClient(emulator, { options: { forceTLS: undefined } })
    await client.connected()
    expect(tap.urls[0]).toMatch(/^wss:/)
  })

  it("§8c §8k 4000 makes a client without it switch to it, at once", async () => {
    using tap = tapSockets()
    await using plain = await startPusherEmulator({ apps: [{ ...app, forceTLS: true }] })
    await using secure = await startPusherEmulator({ tls, apps: [{ ...app, forceTLS: true }] })
    using client = createSdkClient(plain, {
      options: { wssPort: secure.port, enabledTransports: ["ws", "wss"] },
    })
    await client.connected()
    expect(tap.urls.map((url) => new URL(url).protocol)).toEqual(["ws:", "wss:"])
    expect(client.errors).toMatchObject([{ code: 4000 }])
    const retries = client.pusher.timeline.events.filter(({ action }) => action === "retry")
    expect(retries.map(({ delay }) => delay)).toEqual([0])
  })

  it("a plain request to it is no answer", async () => {
    await using emulator = await startPusherEmulator({ tls })
    const library = createServerLibrary(emulator, undefined, { useTLS: false })
    await expect(library.trigger("news", "event", {})).rejects.toThrow("Request failed")
  })
})
