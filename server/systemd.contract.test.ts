import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { findSystemdAnalyze } from "../scripts/tools.ts"

const analyzer = findSystemdAnalyze()
const read = (path: string) => readFileSync(join(import.meta.dirname, "..", path), "utf8")
const shipped = read("deploy/systemd/throughline@.service")
const ofGuide = /```ini\n([\s\S]*?)```/.exec(read("docs/guides/deploying.md"))?.[1] ?? ""

describe.skipIf(!analyzer)(
  analyzer ? "the units of systemd" : "the units of systemd (skipped: systemd-analyze not found)",
  () => {
    let folder: string
    let file: string

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "throughline-unit-"))
      file = join(folder, "throughline@.service")
    })
    afterEach(() => rmSync(folder, { recursive: true }))

    /** What systemd finds fault with. Only the place of the programs is this machine's. */
    function analyze(unit: string, ...parameters: string[]): string {
      writeFileSync(file, unit.replace(/(?<=^ExecStart=)\S+/m, process.execPath))
      try {
        execFileSync(analyzer as string, [...parameters, file], { stdio: "pipe" })
        return ""
      } catch (error) {
        const { stdout, stderr } = error as { stdout: Buffer; stderr: Buffer }
        return `${stdout}${stderr}`
      }
    }

    it("are understood in full, the one that is shipped and that of the guide to deploying", () => {
      const verify = ["verify", "--man=no", "--recursive-errors=no"]
      expect(analyze(shipped, ...verify)).toBe("")
      expect(ofGuide).toContain("ExecStart=")
      expect(analyze(ofGuide, ...verify)).toBe("")
      // And this would be told.
      expect(analyze(shipped.replace("ProtectHome", "ProtectHom"), ...verify)).toContain("ProtectHom")
    })

    it("lets the process do little more than it needs", () => {
      // In tenths, of ten; without any of it, nearly all of them.
      const exposure = ["security", "--offline=true", "--no-pager"]
      expect(analyze(shipped, ...exposure, "--threshold=40")).toBe("")
      const bare = shipped.replace(/^(Protect|Restrict|Private|Capability|NoNew).*\n/gm, "")
      expect(analyze(bare, ...exposure, "--threshold=40")).toContain("Overall exposure level")
    })
  },
)
