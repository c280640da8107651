import { AwsClient, AwsV4Signer } from "aws4fetch"
import { type FileStore, requireKey } from "./file-store.ts"
import { uploadType } from "./rules.ts"

export interface S3StoreOptions {
  /** Without the bucket, which follows in the path: every store of this protocol answers there, and it is one origin. */
  endpoint: string
  bucket: string
  region?: string | undefined
  accessKeyId: string
  secretAccessKey: string
  now?: () => number
}

/** So long may an upload take. */
const uploadMs = 15 * 60_000
/**
 * Addresses of one minute are the same, so that a browser's cache knows them again. The redirect to one is kept for a minute; with
 * the rest of the minute in which it was made, three are never too few.
 */
const addressMs = 60_000
const downloadMs = 3 * addressMs
const timeoutMs = 10_000
const keptForSeconds = 24 * 60 * 60

/** A bucket of S3's protocol. Browsers send to it and read from it by signed addresses; no file passes through the app. */
export function createS3Store(options: S3StoreOptions): FileStore {
  const { accessKeyId, secretAccessKey, bucket, region = "us-east-1", now = Date.now } = options
  const base = `${options.endpoint.replace(/\/+$/, "")}/${bucket}`
  const credentials = { accessKeyId, secretAccessKey, region, service: "s3" }
  const client = new AwsClient({ ...credentials, retries: 2 })
  const incomingAt = (key: string) => `${base}/incoming/${requireKey(key)}`
  const keptAt = (key: string) => `${base}/kept/${requireKey(key)}`

  async function presign(
    method: string,
    address: string,
    { lifetimeMs, at, headers = {} }: { lifetimeMs: number; at: number; headers?: Record<string, string> },
  ): Promise<string> {
    const url = new URL(address)
    url.searchParams.set("X-Amz-Expires", String(lifetimeMs / 1000))
    const datetime = new Date(at).toISOString().replace(/[:-]|\.\d{3}/g, "")
    const signer = {
      ...credentials,
      method,
      url: url.href,
      headers,
      datetime,
      signQuery: true,
      allHeaders: true,
    }
    return (await new AwsV4Signer(signer).sign()).url.href
  }

  async function ask(doing: string, method: string, url: string, headers: Record<string, string> = {}) {
    const response = await client.fetch(url, { method, headers, signal: AbortSignal.timeout(timeoutMs) })
    if (response.ok || response.status === 404) return response
    const [, code = "no reason"] = /<Code>(\w+)<\/Code>/.exec(await response.text()) ?? []
    throw new Error(`[files] unable to ${doing}; the store answered ${response.status} (${code})`)
  }

  async function sizeOf(key: string): Promise<number | null> {
    const response = await ask("look at a file", "HEAD", keptAt(key))
    return response.ok ? Number(response.headers.get("content-length")) : null
  }

  return {
    incoming: {
      async presign(key, size) {
        const headers = { "Content-Type": uploadType }
        // The browser adds the length by itself; signed, no other one is taken.
        const signed = { ...headers, "Content-Length": String(size) }
        const url = await presign("PUT", incomingAt(key), {
          ...{ lifetimeMs: uploadMs, at: now(), headers: signed },
        })
        return { url, headers }
      },
    },
    async settle(key) {
      const source = { "X-Amz-Copy-Source": `/${bucket}/incoming/${requireKey(key)}` }
      const copied = await ask("keep a file", "PUT", keptAt(key), source)
      // A copy that fails late has status 200 all the same: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
      const answer = await copied.text()
      if (copied.ok && !answer.includes("CopyObjectResult"))
        throw new Error("[files] unable to keep a file; the store broke off the copy")
      if (copied.ok) await ask("remove what came in", "DELETE", incomingAt(key))
      return sizeOf(key)
    },
    async readStart(key, length) {
      const response = await ask("read a file", "GET", keptAt(key), { Range: `bytes=0-${length - 1}` })
      if (!response.ok) throw new Error("[files] unable to read a file; it isn't there")
      return new Uint8Array(await response.arrayBuffer())
    },
    async open(key, { type, disposition }) {
      const address = new URL(keptAt(key))
      address.searchParams.set("response-content-type", type)
      address.searchParams.set("response-content-disposition", disposition)
      address.searchParams.set("response-cache-control", `private, max-age=${keptForSeconds}, immutable`)
      const at = now() - (now() % addressMs)
      return { url: await presign("GET", address.href, { lifetimeMs: downloadMs, at }) }
    },
    async remove(key) {
      for (const address of [incomingAt(key), keptAt(key)]) await ask("remove a file", "DELETE", address)
    },
    // A bucket shows only whole objects.
    async sweep() {},
  }
}
