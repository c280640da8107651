/** A major version and its minor one. */
export type Release = readonly [major: number, minor: number]

/**
 * Whether a version, as in "22", "v22.13.0" or "22.x", is before this one; one without a minor version is the
 * newest of its major one. What isn't a version, as "lts/-1" or "latest", is of no known age.
 */
export function isOlder(version: string, [leastMajor, leastMinor]: Release): boolean {
  const [, major, minor = leastMinor] = /^v?(\d+)(?:\.(\d+))?/.exec(version) ?? []
  if (major === undefined) return false
  return Number(major) < leastMajor || (Number(major) === leastMajor && Number(minor) < leastMinor)
}
