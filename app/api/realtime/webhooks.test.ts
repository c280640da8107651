import { createHmac } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { parseEnv } from "#lib/env/schema.ts"
import { createChat } from "#lib/realtime/create.ts"
import { hostChat, type ProcessChat } from "#lib/realtime/process-chat.ts"
import { createPublishers } from "#lib/realtime/publishers.ts"
import { POST } from "./[...path]/route.ts"

const folder = mkdtempSync(join(tmpdir(), "throughline-webhooks-"))
let chat: ProcessChat

beforeAll(async () => {
  const env = parseEnv({
    ...{
      SESSION_SECRET: "a session secret of this test, long enough",
      DATA_DIR: folder,
      LOG_LEVEL: "silent",
    },
    ...{ REALTIME_PROVIDER: "pusher", PUSHER_APP_ID: "1", PUSHER_KEY: "key", PUSHER_SECRET: "secret" },
    ...{ PUSHER_CLUSTER: "eu", LIMITS: "webhooks-from-an-address=5/600" },
  })
  chat = hostChat({ env, ...(await createChat({ env, publishers: await createPublishers(env) })) })
})
afterAll(async () => {
  await chat.close()
  rmSync(folder, { recursive: true })
})

const body = () => JSON.stringify({ time_ms: Date.now(), events: [] })

/** A webhook of Pusher's, as far as its signature says; `address`: as the nearest proxy wrote it. */
async function send(secret: string, address: string | null) {
  const text = body()
  const request = new Request("https://chat.example/api/realtime/webhooks/pusher", {
    method: "POST",
    headers: {
      ...{ "content-type": "application/json", "x-pusher-key": "key" },
      "x-pusher-signature": createHmac("sha256", secret).update(text).digest("hex"),
      ...(address !== null && { "x-forwarded-for": address }),
    },
    body: text,
  })
  const { status } = await POST(request)
  return [status, request.bodyUsed ? "read" : "unread"]
}

it("webhooks forged by the thousand are refused before they are read, and the service's own are taken", async () => {
  for (let n = 0; n < 5; n += 1) expect(await send("guessed", "192.0.2.1")).toEqual([401, "read"])
  expect(await send("guessed", "192.0.2.1")).toEqual([429, "unread"])
  // Whatever an address claims beside what the nearest proxy knows.
  expect(await send("guessed", "198.51.100.1, 192.0.2.1")).toEqual([429, "unread"])
  for (let n = 0; n < 5; n += 1) expect(await send("secret", "198.51.100.1")).toEqual([200, "read"])
})

it("webhooks of whom nobody knows the address have no budget together, by which strangers could use up the service's", async () => {
  for (let n = 0; n < 6; n += 1) expect(await send("guessed", null)).toEqual([401, "read"])
  expect(await send("secret", null)).toEqual([200, "read"])
})
