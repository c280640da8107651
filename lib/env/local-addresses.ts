import { isIPv6 } from "node:net"
import { hostname, networkInterfaces } from "node:os"

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
