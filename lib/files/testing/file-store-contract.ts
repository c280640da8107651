import { randomBytes } from "node:crypto"
import { v7 as uuidv7 } from "uuid"
import { describe, expect, it } from "vitest"
import { type FileStore, keyOf } from "../file-store.ts"
import { uploadType } from "../rules.ts"

export interface FileStoreBackend extends AsyncDisposable {
  store: FileStore
}

const png = { type: "image/png", disposition: 'inline; filename="a.png"' }
const newKey = () => keyOf(uuidv7(), "file")

/** Bytes in pieces, as they come over a network. */
function inPieces(bytes: Uint8Array, pieceSize = 64 * 1024): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.subarray(at, at + pieceSize))
      at += pieceSize
    },
  })
}

/** Sends as a browser would, announced as `size` bytes. Resolves with whether it was taken. */
async function send(store: FileStore, key: string, bytes: Uint8Array, size = bytes.length): Promise<boolean> {
  const { incoming } = store
  if ("receive" in incoming)
    return incoming.receive(key, inPieces(bytes), size).then(
      () => true,
      () => false,
    )
  const { url, headers } = await incoming.presign(key, size)
  return (await fetch(url, { method: "PUT", headers, body: Buffer.from(bytes) })).ok
}

async function read(
  store: FileStore,
  key: string,
): Promise<{ bytes: Buffer; headers: Headers | null } | null> {
  const download = await store.open(key, png)
  if (!download) return null
  const response = "url" in download ? await fetch(download.url) : new Response(download.read())
  if (!response.ok) return null
  return {
    bytes: Buffer.from(await response.arrayBuffer()),
    headers: "url" in download ? response.headers : null,
  }
}

/** What every file store does. */
export function describeFileStoreContract(name: string, open: () => Promise<FileStoreBackend>): void {
  describe(`the file store: ${name}`, () => {
    it("gives back what was sent, byte by byte", async () => {
      await using backend = await open()
      const { store } = backend
      const key = newKey()
      const bytes = randomBytes(3 * 1024 * 1024 + 17)
      expect(await send(store, key, bytes)).toBe(true)
      expect(await store.settle(key)).toBe(bytes.length)
      const kept = await read(store, key)
      expect(kept?.bytes.equals(bytes)).toBe(true)
      expect(Buffer.from(await store.readStart(key, 100)).equals(bytes.subarray(0, 100))).toBe(true)
      expect(await store.readStart(key, 10 * 1024 * 1024)).toHaveLength(bytes.length)
    })

    it("takes exactly as much as was announced, and keeps nothing of the rest", async () => {
      await using backend = await open()
      const { store } = backend
      for (const size of [99, 101]) {
        const key = newKey()
        expect(await send(store, key, randomBytes(100), size)).toBe(false)
        expect(await store.settle(key)).toBeNull()
      }
    })

    it("has nothing before it was settled, and says so", async () => {
      await using backend = await open()
      const { store } = backend
      const key = newKey()
      expect(await store.settle(key)).toBeNull()
      await send(store, key, randomBytes(10))
      expect(await read(store, key)).toBeNull()
      expect([await store.settle(key), await store.settle(key)]).toEqual([10, 10])
    })

    it("keeps what was settled, whatever is sent afterwards", async () => {
      await using backend = await open()
      const { store } = backend
      const key = newKey()
      const first = randomBytes(50)
      await send(store, key, first)
      await store.settle(key)
      await send(store, key, randomBytes(50))
      expect((await read(store, key))?.bytes.equals(first)).toBe(true)
    })

    it("replaces an upload that was begun before, as a retry does", async () => {
      await using backend = await open()
      const { store } = backend
      const key = newKey()
      const again = randomBytes(20)
      await send(store, key, randomBytes(20))
      await send(store, key, again)
      await store.settle(key)
      expect((await read(store, key))?.bytes.equals(again)).toBe(true)
    })

    it("removes, also what isn't there and what only came in", async () => {
      await using backend = await open()
      const { store } = backend
      const [kept, come, never] = [newKey(), newKey(), newKey()]
      for (const key of [kept, come]) await send(store, key, randomBytes(5))
      await store.settle(kept)
      for (const key of [kept, come, never]) await store.remove(key)
      expect([await read(store, kept), await store.settle(come)]).toEqual([null, null])
    })

    it("takes no key but an id, wherever that would lead", async () => {
      await using backend = await open()
      const { store } = backend
      const id = uuidv7()
      for (const key of [
        "",
        "..",
        "../chat.db",
        `${id}/../x`,
        `${id}.part`,
        `${id}\0`,
        `${id}%2e`,
        id.toUpperCase(),
      ]) {
        await expect(store.settle(key), key).rejects.toThrow(TypeError)
        await expect(store.open(key, png), key).rejects.toThrow(TypeError)
        await expect(store.remove(key), key).rejects.toThrow(TypeError)
        const { incoming } = store
        const sent =
          "receive" in incoming
            ? incoming.receive(key, inPieces(randomBytes(1)), 1)
            : incoming.presign(key, 1)
        await expect(sent, key).rejects.toThrow(TypeError)
      }
    })

    it("lets a browser send nothing but what was announced, where it sends to the store", async () => {
      await using backend = await open()
      const { incoming } = backend.store
      if (!("presign" in incoming)) return
      const key = newKey()
      const { url, headers } = await incoming.presign(key, 5)
      const put = async (address: string, type = uploadType) =>
        (
          await fetch(address, {
            method: "PUT",
            headers: { ...headers, "Content-Type": type },
            body: "12345",
          })
        ).status
      expect(await put(url, "text/html")).toBe(403)
      expect(await put(url.replace(key, newKey()))).toBe(403)
      expect(await put(url.replace("X-Amz-Expires=900", "X-Amz-Expires=90000"))).toBe(403)
      expect(await put(url)).toBe(200)
    })
  })
}
