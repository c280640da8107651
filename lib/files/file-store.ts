import type { UploadTarget } from "./rules.ts"

/** What an object is served as. */
export interface ServedAs {
  type: string
  disposition: string
}

export interface ByteRange {
  start: number
  /** Inclusive, as in HTTP. */
  end: number
}

/** An object to be read: at an address of the store's own, or through the app. */
export type Download =
  | { url: string }
  | { size: number; read(range?: ByteRange): ReadableStream<Uint8Array<ArrayBuffer>> }

/**
 * Server: where attached files are. What browsers send comes in beside what is kept, and `settle` moves it there: from then on
 * nobody can put other bytes in its place. Proven by `describeFileStoreContract`.
 *
 * Keys are ours (`keyOf`): an id, or an id with `.thumbnail`.
 */
export interface FileStore {
  /** How bytes come in: straight to the store, by an address that is good for one object of exactly this size; or through the app. */
  readonly incoming:
    | { presign(key: string, size: number): Promise<UploadTarget> }
    | {
        /** Rejects with `file-too-large` or `upload-incomplete` unless it is `size` bytes; then nothing is left of it. */
        receive(key: string, body: ReadableStream<Uint8Array>, size: number): Promise<void>
      }
  /** Takes what came in; resolves with its size, or with null where nothing has come. May be repeated. */
  settle(key: string): Promise<number | null>
  /** The first bytes of what is kept. */
  readStart(key: string, length: number): Promise<Uint8Array<ArrayBuffer>>
  /** What is kept, for a browser; null where it isn't. */
  open(key: string, as: ServedAs): Promise<Download | null>
  /** Both what came in and what is kept. What isn't there is removed already. */
  remove(key: string): Promise<void>
  /** Removes what was left half-written before this moment, by a process that ended in between. */
  sweep(before: number): Promise<void>
}

const keyPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(\.thumbnail)?$/

export const keyOf = (id: string, part: "file" | "thumbnail"): string =>
  part === "thumbnail" ? `${id}.thumbnail` : id

/** Nothing else ever becomes a path or an address, wherever it came from. */
export function requireKey(key: string): string {
  if (keyPattern.test(key)) return key
  throw new TypeError("unable to name a file; the key is not one of ours")
}
