import { createHash, createHmac, timingSafeEqual } from "node:crypto"

export function hmacSha256Hex(secret: string, text: string): string {
  return createHmac("sha256", secret).update(text).digest("hex")
}

export function md5Hex(body: string | Uint8Array): string {
  return createHash("md5").update(body).digest("hex")
}

export function isSameSignature(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** What a channel authorization signs; the data is included byte for byte whenever there is any (§3.6). */
export function channelStringToSign(socketId: string, channel: string, channelData?: string): string {
  return channelData === undefined ? `${socketId}:${channel}` : `${socketId}:${channel}:${channelData}`
}

/** What a user authentication signs (§7). */
export function userStringToSign(socketId: string, userData: string): string {
  return `${socketId}::user::${userData}`
}

/** What a request to the HTTP API signs: all parameters but the signature, sorted by key, values unescaped (§10.1). */
export function requestStringToSign(
  method: string,
  path: string,
  query: ReadonlyMap<string, string>,
): string {
  const pairs = [...query]
    .map(([key, value]) => [key.toLowerCase(), value] as const)
    .filter(([key]) => key !== "auth_signature")
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, value]) => `${key}=${value}`)
  return [method.toUpperCase(), path, pairs.join("&")].join("\n")
}

/** Splits `key:signature`, the form of every `auth` value. */
export function parseAuth(auth: string): { key: string; signature: string } {
  const separator = auth.indexOf(":")
  return separator < 0
    ? { key: auth, signature: "" }
    : { key: auth.slice(0, separator), signature: auth.slice(separator + 1) }
}
