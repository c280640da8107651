import { expect, it } from "vitest"
import { isRoomy } from "./memory-folder.ts"

const gib = 2 ** 30
const mounts = (options: string, type = "tmpfs") =>
  `/dev/vda / ext4 rw,relatime 0 0\n${type} /dev/shm ${type} ${options} 0 0\n`
const freeBytes = { place: 12 * gib, memory: 20 * gib }

it("temporary files are kept in memory where programs may be started from it and it has room", () => {
  expect(isRoomy({ mounts: mounts("rw,nosuid,nodev"), freeBytes })).toBe(true)
  // As in a container.
  expect(isRoomy({ mounts: mounts("rw,nosuid,nodev,noexec"), freeBytes })).toBe(false)
  expect(isRoomy({ mounts: mounts("rw"), freeBytes: { ...freeBytes, place: gib / 16 } })).toBe(false)
  expect(isRoomy({ mounts: mounts("rw"), freeBytes: { ...freeBytes, memory: gib } })).toBe(false)
  expect(isRoomy({ mounts: mounts("ro"), freeBytes })).toBe(false)
  // A plain folder of the disk.
  expect(isRoomy({ mounts: mounts("rw", "ext4"), freeBytes })).toBe(false)
  expect(isRoomy({ mounts: "", freeBytes })).toBe(false)
})
