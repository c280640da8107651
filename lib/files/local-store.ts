import { randomBytes } from "node:crypto"
import { createReadStream } from "node:fs"
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { Readable } from "node:stream"
import { type FileStore, requireKey } from "./file-store.ts"
import { FileError } from "./rules.ts"

/** Files of this machine. Streamed both ways, never whole in memory; what has a name under `kept` is complete. */
export function createLocalStore({ directory }: { directory: string }): FileStore {
  const incomingAt = (key: string) => join(directory, "incoming", requireKey(key))
  const keptAt = (key: string) => join(directory, "kept", requireKey(key))

  async function receive(key: string, body: ReadableStream<Uint8Array>, size: number): Promise<void> {
    const path = incomingAt(key)
    // Two uploads of one file don't write into each other; the last one that is complete counts.
    const part = `${path}.${randomBytes(6).toString("hex")}.part`
    await mkdir(join(directory, "incoming"), { recursive: true })
    try {
      await write(part, body, size)
      await rename(part, path)
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
  }

  const sizeOf = (path: string) => unlessMissing(stat(path).then(({ size }) => size))

  return {
    incoming: { receive },
    async settle(key) {
      const kept = keptAt(key)
      await mkdir(join(directory, "kept"), { recursive: true })
      await unlessMissing(rename(incomingAt(key), kept))
      return sizeOf(kept)
    },
    async readStart(key, length) {
      await using file = await open(keptAt(key))
      const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, 0)
      return buffer.subarray(0, bytesRead)
    },
    async open(key) {
      const path = keptAt(key)
      const size = await sizeOf(path)
      if (size === null) return null
      const read = (range?: { start: number; end: number }) =>
        Readable.toWeb(createReadStream(path, range)) as unknown as ReadableStream<Uint8Array<ArrayBuffer>>
      return { size, read }
    },
    async remove(key) {
      for (const path of [incomingAt(key), keptAt(key)]) await rm(path, { force: true })
    },
    async sweep(before) {
      const folder = join(directory, "incoming")
      const names = (await unlessMissing(readdir(folder))) ?? []
      for (const name of names.filter((each) => each.endsWith(".part"))) {
        const path = join(folder, name)
        const left = await unlessMissing(stat(path))
        if (left && left.mtimeMs < before) await rm(path, { force: true })
      }
    },
  }
}

/** Writes exactly `size` bytes, and waits until the disk has them. */
async function write(path: string, body: ReadableStream<Uint8Array>, size: number): Promise<void> {
  await using file = await open(path, "wx")
  let received = 0
  for await (const chunk of body) {
    received += chunk.length
    if (received > size)
      throw new FileError("file-too-large", `unable to store more than the ${size} announced bytes`)
    await file.writeFile(chunk)
  }
  if (received < size)
    throw new FileError(
      "upload-incomplete",
      `unable to store the file; only ${received} of ${size} bytes came`,
    )
  await file.sync()
}

async function unlessMissing<T>(operation: Promise<T>): Promise<T | null> {
  try {
    return await operation
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null
    throw error
  }
}
