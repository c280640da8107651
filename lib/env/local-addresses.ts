import { isIPv6 } from "node:net"
import { hostname, networkInterfaces } from "node:os"
import type { Env } from "./schema.ts"

/** This machine's addresses in its networks: what somebody beside it types, IPv4 alone. None where the system doesn't say, as in a sandbox. */
export function localAddresses(): string[] {
  try {
    return Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, internal }) => family === "IPv4" && !internal)
      .map(({ address }) => address)
  } catch {
    return []
  }
}

/** What others in this machine's networks can open of an app under development, or why its pages would have no connection there. */
export function linesForNeighbours(
  { REALTIME_PROVIDER, SOCKET_URL, PUSHER_HOST, ABLY_ENDPOINT }: Connections,
  port: string,
): string[] {
  const hosts: Record<string, string | undefined> = {
    socketio: SOCKET_URL && new URL(SOCKET_URL).hostname,
    ...{ pusher: PUSHER_HOST, ably: ABLY_ENDPOINT },
  }
  const local = REALTIME_PROVIDER.filter((provider) => isThisMachine(hosts[provider]))
  const addresses = localAddresses()
  if (local.length === 0)
    return addresses.map((address) => `for others in your network: http://${address}:${port}`)
  if (addresses.length === 0) return []
  return [
    `for pages on this machine alone: ${local.join(" and ")} ${local.length > 1 ? "are" : "is"} at localhost, which is another machine to others in your network; ` +
      "`npm run dev` alone serves them, too",
  ]
}

type Connections = Pick<Env, "REALTIME_PROVIDER" | "SOCKET_URL" | "PUSHER_HOST" | "ABLY_ENDPOINT">

const isThisMachine = (host: string | undefined) =>
  host !== undefined && /^(localhost|127(\.\d+){3}|::1|\[::1\])$/.test(host)

/** All that this machine is called by from outside; browsers write names in small letters. */
export function localNames(): string[] {
  const name = hostname().toLowerCase()
  return [...localAddresses(), name, `${name.replace(/\.local$/, "")}.local`]
}

/**
 * What the one that listens there is called in a URL, on this machine: all addresses are no address, and no URL holds one with a zone, as
 * fe80::1%eth0.
 */
export const reachableHost = (hostname: string | undefined): string =>
  hostname === undefined || hostname === "::" || hostname === "0.0.0.0" || hostname.includes("%")
    ? "localhost"
    : hostname

/** Where the app of this environment is reached on its own machine. */
export function ownUrl({ HOST, PORT }: { HOST?: string | undefined; PORT: number }): string {
  const host = reachableHost(HOST)
  return `http://${isIPv6(host) ? `[${host}]` : host}:${PORT}`
}
