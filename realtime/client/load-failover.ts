let loaded: typeof import("./failover-transport.ts") | undefined

/**
 * What a page that connects over its only provider doesn't need. Tests load it beforehand: in a process where
 * it is there nobody reads a file for it.
 */
export async function loadFailover(): Promise<typeof import("./failover-transport.ts")> {
  loaded ??= await import("./failover-transport.ts")
  return loaded
}
