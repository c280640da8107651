/**
 * How deep what a client sends may be nested. No client of either service comes near it; what is wrapped once more on its way to
 * others can then be written by every encoder, and read by every recursion.
 */
export const maxDepth = 64

export function isTooDeep(value: unknown, left = maxDepth): boolean {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return false
  return left === 0 || Object.values(value).some((inner) => isTooDeep(inner, left - 1))
}
