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
