import { createHash, createHmac, timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/**
 * A bucket of S3's protocol, as far as a file store asks: objects put, copied, read, looked at and removed, by signed headers or signed
 * addresses, from pages of one origin. The signatures are verified as Amazon's documents say, by none of the code that makes them:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
export interface S3Server extends AsyncDisposable {
  readonly endpoint: string
  readonly bucket: string
  readonly credentials: { accessKeyId: string; secretAccessKey: string; region: string }
  /** The variables of a chat that keeps its files here. */
  readonly env: Record<string, string>
  /** What is in the bucket, by its keys. */
  readonly objects: Map<string, Uint8Array>
  /** What it refused and why, as in `SignatureDoesNotMatch`. */
  readonly refusals: string[]
}

export interface S3ServerOptions {
  /** Whose pages may put and get. Default: everybody's. */
  allowedOrigin?: string
  now?: () => number
}

class Refusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string) {
    super(code)
    this.status = status
    this.code = code
  }
}

const region = "eu-test-1"
const bucket = "attached"
const credentials = { accessKeyId: "AKIATEST", secretAccessKey: "a/secret+of the store's", region }

export async function startS3Server({
  allowedOrigin = "*",
  now = Date.now,
}: S3ServerOptions = {}): Promise<S3Server> {
  const objects = new Map<string, Uint8Array>()
  const refusals: string[] = []

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", `http://${request.headers.host}`)
    response.setHeader("Access-Control-Allow-Origin", allowedOrigin)
    if (request.method === "OPTIONS") {
      response.setHeader("Access-Control-Allow-Methods", "GET, PUT")
      response.setHeader("Access-Control-Allow-Headers", "content-type")
      response.writeHead(200).end()
      return
    }
    const body = await bodyOf(request)
    verifySignature({ request, url, body, now: now(), ...credentials })
    const prefix = `/${bucket}/`
    if (!url.pathname.startsWith(prefix)) throw new Refusal(404, "NoSuchBucket")
    const key = decodeURIComponent(url.pathname.slice(prefix.length))
    const found = () => {
      const object = objects.get(key)
      if (object) return object
      throw new Refusal(404, "NoSuchKey")
    }
    if (request.method === "DELETE") {
      objects.delete(key)
      response.writeHead(204).end()
    } else if (request.method === "PUT") {
      const source = request.headers["x-amz-copy-source"]
      if (source === undefined) objects.set(key, body)
      else {
        const original = objects.get(
          decodeURIComponent(String(source))
            .replace(/^\//, "")
            .slice(prefix.length - 1),
        )
        if (!original) throw new Refusal(404, "NoSuchKey")
        objects.set(key, original)
      }
      response.writeHead(200).end(source === undefined ? "" : "<CopyObjectResult></CopyObjectResult>")
    } else if (request.method === "GET" || request.method === "HEAD") {
      const object = found()
      for (const [name, value] of url.searchParams)
        if (name.startsWith("response-")) response.setHeader(name.slice("response-".length), value)
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? []
      const part = first === undefined ? object : object.subarray(Number(first), Number(last) + 1)
      response.writeHead(first === undefined ? 200 : 206, { "Content-Length": part.length })
      response.end(request.method === "HEAD" ? "" : part)
    } else throw new Refusal(405, "MethodNotAllowed")
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const { status, code } = error instanceof Refusal ? error : { status: 500, code: String(error) }
      refusals.push(code)
      response.writeHead(status, { "Content-Type": "application/xml" })
      response.end(`<Error><Code>${code}</Code></Error>`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  const endpoint = `http://127.0.0.1:${port}`
  return {
    env: {
      ...{ FILES_S3_ENDPOINT: endpoint, FILES_S3_BUCKET: bucket, FILES_S3_REGION: region },
      FILES_S3_ACCESS_KEY_ID: credentials.accessKeyId,
      FILES_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    ...{ endpoint, bucket, credentials, objects, refusals },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

interface SignedRequest {
  request: Pick<IncomingMessage, "method" | "headers">
  url: URL
  body: Uint8Array
  now: number
  accessKeyId: string
  secretAccessKey: string
  region: string
}

const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex")
const hmac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data).digest()
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** Throws unless the request is signed by the key, in its headers or in its address, and not too old. */
export function verifySignature(signed: SignedRequest): void {
  const { request, url, body, now, accessKeyId, secretAccessKey, region } = signed
  const query = url.searchParams
  const isAddress = query.has("X-Amz-Signature")
  const header = Object.fromEntries(
    [...(request.headers.authorization ?? "").matchAll(/(\w+)=([^,\s]+)/g)].map(([, k, v]) => [k, v]),
  )
  const given = {
    credential: isAddress ? query.get("X-Amz-Credential") : header.Credential,
    signedHeaders: isAddress ? query.get("X-Amz-SignedHeaders") : header.SignedHeaders,
    signature: isAddress ? query.get("X-Amz-Signature") : header.Signature,
    date: isAddress ? query.get("X-Amz-Date") : String(request.headers["x-amz-date"]),
  }
  if (!given.credential || !given.signedHeaders || !given.signature || !given.date)
    throw new Refusal(403, "AccessDenied")
  const day = given.date.slice(0, 8)
  const scope = `${day}/${region}/s3/aws4_request`
  if (given.credential !== `${accessKeyId}/${scope}`) throw new Refusal(403, "InvalidAccessKeyId")

  const at = Date.parse(given.date.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, "$1-$2-$3:$4:$5"))
  const lifetimeMs = isAddress ? Number(query.get("X-Amz-Expires")) * 1000 : 15 * 60_000
  if (!(now >= at - 15 * 60_000 && now < at + lifetimeMs)) throw new Refusal(403, "RequestExpired")

  const names: string[] = given.signedHeaders.split(";")
  // Whatever has a meaning of Amazon's has to be signed.
  const demanded = ["host", ...Object.keys(request.headers).filter((name) => name.startsWith("x-amz-"))]
  if (!demanded.every((name) => names.includes(name))) throw new Refusal(403, "AccessDenied")
  const canonicalQuery = [...query]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map((pair) => pair.join("="))
    .join("&")
  const payload = isAddress ? "UNSIGNED-PAYLOAD" : String(request.headers["x-amz-content-sha256"])
  if (payload !== "UNSIGNED-PAYLOAD" && payload !== sha256(body))
    throw new Refusal(400, "XAmzContentSHA256Mismatch")
  const canonical = [
    request.method,
    decodeURIComponent(url.pathname).split("/").map(encode).join("/"),
    canonicalQuery,
    ...names.map(
      (name) =>
        `${name}:${String(request.headers[name] ?? "")
          .trim()
          .replace(/ +/g, " ")}`,
    ),
    "",
    given.signedHeaders,
    payload,
  ].join("\n")
  const toSign = ["AWS4-HMAC-SHA256", given.date, scope, sha256(canonical)].join("\n")
  const key = [day, region, "s3", "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
  const expected = hmac(key, toSign).toString("hex")
  const isSame =
    expected.length === given.signature.length &&
    timingSafeEqual(Buffer.from(expected), Buffer.from(given.signature))
  if (!isSame) throw new Refusal(403, "SignatureDoesNotMatch")
}
