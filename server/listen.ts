import type { Server } from "node:http"
import { type AddressInfo, isIPv6 } from "node:net"
import { reachableHost } from "#lib/env/local-addresses.ts"

/** Something that runs until it is told to stop. */
export interface Stoppable {
  readonly url: string
  /** Stops accepting, finishes what is in flight. Idempotent, bounded in time. */
  close(): Promise<void>
}

/** Listens, or rejects with the reason (`EADDRINUSE`, `EACCES`). Port 0 takes any that is free. */
export async function listen(
  http: Server,
  port: number,
  hostname: string | undefined,
): Promise<{ url: string; port: number }> {
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject)
    http.listen(port, hostname, () => {
      http.off("error", reject)
      resolve()
    })
  })
  const address = http.address() as AddressInfo
  const host = hostname?.includes("%") ? hostname : reachableHost(hostname)
  return {
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${address.port}`,
    port: address.port,
  }
}
