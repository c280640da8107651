import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { v7 as uuidv7 } from "uuid"
import { describe, expect, it } from "vitest"
import { createLocalStore } from "./local-store.ts"
import { createS3Store } from "./s3-store.ts"
import { describeFileStoreContract } from "./testing/file-store-contract.ts"
import { startS3Server } from "./testing/s3-server.ts"

function openLocal() {
  const directory = mkdtempSync(join(tmpdir(), "throughline-files-"))
  return {
    directory,
    store: createLocalStore({ directory }),
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true })
    },
  }
}

async function openS3(options: Parameters<typeof startS3Server>[0] = {}) {
  const server = await startS3Server(options)
  const { endpoint, bucket, credentials } = server
  const store = createS3Store({ endpoint, bucket, ...credentials, ...options })
  return { server, store, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

describeFileStoreContract("this machine's disk", async () => openLocal())
describeFileStoreContract("S3", openS3)

describe("files on disk", () => {
  it("leave nothing half-written: neither a broken upload, nor what a crash left, once it is old", async () => {
    await using opened = openLocal()
    const { directory, store } = opened
    const { incoming } = store
    if (!("receive" in incoming)) throw new Error("it doesn't receive")
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(1000))
        controller.error(new Error("the browser went away"))
      },
    })
    await expect(incoming.receive(uuidv7(), broken, 2000)).rejects.toThrow("went away")
    const names = () => readdirSync(join(directory, "incoming"))
    expect(names()).toEqual([])

    for (const name of ["old.part", "new.part"]) writeFileSync(join(directory, "incoming", name), "")
    utimesSync(join(directory, "incoming", "old.part"), 1000, 1000)
    await store.sweep(Date.now() - 60_000)
    expect(names()).toEqual(["new.part"])
  })
})

describe("files in S3", () => {
  it("are read by an address that says what they are, is the same for a minute, and doesn't last", async () => {
    let time = Date.parse("2026-11-27T10:00:20Z")
    await using opened = await openS3({ now: () => time })
    const { server, store } = opened
    const id = uuidv7()
    server.objects.set(`kept/${id}`, Buffer.from("bytes"))
    const as = { type: "image/png", disposition: `attachment; filename*=UTF-8''%E3%81%82.png` }
    const addressOf = async () => {
      const download = await store.open(id, as)
      return download && "url" in download ? download.url : ""
    }
    const address = await addressOf()
    const response = await fetch(address)
    expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([
      ...[200, "image/png", "bytes"],
    ])
    expect(response.headers.get("content-disposition")).toBe(as.disposition)
    const otherType = address.replace("image%2Fpng", "text%2Fhtml")
    expect([otherType === address, (await fetch(otherType)).status]).toEqual([false, 403])

    time += 30_000
    expect(await addressOf()).toBe(address)
    time += 60_000
    expect(await addressOf()).not.toBe(address)
    expect((await fetch(address)).status).toBe(200)
    time += 120_000
    expect((await fetch(address)).status).toBe(403)
  })

  it("fail in words that name no secret when the key is wrong", async () => {
    await using server = await startS3Server()
    const { endpoint, bucket, credentials } = server
    const store = createS3Store({ endpoint, bucket, ...credentials, secretAccessKey: "mistyped-secret" })
    const failed = await store.settle(uuidv7()).catch((error: Error) => error.message)
    expect(failed).toContain("403 (SignatureDoesNotMatch)")
    expect(failed).not.toContain("mistyped")
  })
})
