import { getCACertificates, setDefaultCACertificates } from "node:tls"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { createTestCertificate } from "../test-certificate.ts"
import { errorOf, FORMATS, openRealtime, openRest, until } from "./harness.ts"
import { startAblyEmulator } from "./server.ts"

describe("TLS, by the official SDK, which trusts the certificate", () => {
  const tls = createTestCertificate()
  const authorities = getCACertificates("default")
  beforeAll(() => setDefaultCACertificates([...authorities, tls.cert]))
  afterAll(() => setDefaultCACertificates(authorities))

  test.each(FORMATS)("§1a publishes and receives ($format)", async ({ useBinaryProtocol }) => {
    await using emulator = await startAblyEmulator({ tls })
    expect(emulator.url).toMatch(/^https:/)
    await using client = openRealtime(emulator, { useBinaryProtocol })
    const received: unknown[] = []
    await client.channels.get("room").subscribe(({ data }) => void received.push(data))
    await openRest(emulator, { useBinaryProtocol }).channels.get("room").publish("m", "over TLS")
    await until(() => expect(received).toEqual(["over TLS"]))
  })

  test("a plain request to it is no answer", async () => {
    await using emulator = await startAblyEmulator({ tls })
    expect((await errorOf(openRest(emulator, { tls: false }).time())).message).toMatch(/hang up|socket/)
  })
})
