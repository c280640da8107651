import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface SmallDisk extends Disposable {
  readonly folder: string
  remount(option: "ro" | "rw"): void
}

/** A file system of a test's own with as much room as `size` says, as in `1m`. Mounting needs root. */
export function mountDisk(size: string): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "throughline-disk-"))
  const mount = (options: string) =>
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { stdio: "pipe" })
  try {
    mount(`size=${size}`)
  } catch (error) {
    rmSync(folder, { recursive: true })
    throw error
  }
  return {
    folder,
    remount: (option) => mount(`remount,size=${size},${option}`),
    [Symbol.dispose]() {
      execFileSync("umount", [folder])
      rmSync(folder, { recursive: true })
    },
  }
}

/** Whether this user may. */
export function canMountDisk(): boolean {
  try {
    mountDisk("1m")[Symbol.dispose]()
    return true
  } catch {
    return false
  }
}
