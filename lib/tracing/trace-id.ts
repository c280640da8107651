/** Set where traces are kept, which loads what knows of them. Next.js and the servers are two bundles of this module. */
const key = Symbol.for("throughline.trace-id")
const shared = globalThis as typeof globalThis & { [key]?: () => string | undefined }

/** The trace that is under way, if one is. */
export const currentTraceId = (): string | undefined => shared[key]?.()

export function tellTraceId(read: () => string | undefined): void {
  shared[key] = read
}
