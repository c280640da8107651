import { existsSync, globSync, readlinkSync, realpathSync } from "node:fs"
import { join } from "node:path"

/** How often processes of this machine hold the log open, where the system tells. */
export function openLogs(dataDir: string): number {
  const held = existsSync("/proc/self/fd") ? globSync("/proc/[0-9]*/fd/*") : []
  return held.filter((file) => {
    try {
      return readlinkSync(file) === join(realpathSync(dataDir), "realtime.db")
    } catch {
      // It was closed, or is another user's.
      return false
    }
  }).length
}
