import type { Server } from "node:http"
import { type AddressInfo, isIPv6 } from "node:net"

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
  return { url: `http://${hostOf(hostname)}:${address.port}`, port: address.port }
}

/** Where it is reached from this machine, as it stands in an address: all addresses are no address. */
function hostOf(hostname: string | undefined): string {
  if (hostname === undefined || hostname === "::" || hostname === "0.0.0.0") return "localhost"
  return isIPv6(hostname) ? `[${hostname}]` : hostname
}
