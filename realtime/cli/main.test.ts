import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { checks } from "./doctor/checks.ts"
import { createProgram } from "./main.ts"
import { createOutput } from "./output.ts"
import { makeFolder, throughline } from "./testing.ts"

const guide = readFileSync(new URL("../../docs/guides/cli.md", import.meta.url), "utf8")

/** The guide's part under a heading that names a command, alone or with others. */
const sectionOf = (command: string) =>
  guide.split(/^## /m).find((section) => section.split("\n")[0]?.split(", ").includes(command)) ?? ""

const commands = createProgram([], createOutput(false), () => {}).commands

describe("the guide", () => {
  it.each(commands.map((command) => [command.name(), command] as const))(
    "tells of %s and all of its options",
    (name, command) => {
      const section = sectionOf(name)
      expect(section).toContain(`npx throughline ${name}`)
      expect(
        command.options
          .map(({ long }) => long)
          .filter(
            (flag) => !section.includes(flag ?? "") && !guide.split("## init")[0]?.includes(flag ?? ""),
          ),
      ).toEqual([])
    },
  )

  it("lists what doctor looks at", () => {
    const rows = [...sectionOf("doctor").matchAll(/^\| `(\w+)` \|/gm)].map(([, check]) => check)
    expect(rows).toEqual(Object.keys(checks))
  })
})

describe("throughline", () => {
  it.each([
    [[], 2, ""],
    [["--version"], 0, /^\d+\.\d+\.\d+\n$/],
    [["--help"], 0, /init[\s\S]*doctor[\s\S]*emulators/],
    [["init", "--help"], 0, /--dry-run/],
    [["frobnicate"], 2, ""],
  ])("%j ends with %i", async (args, exitCode, stdout) => {
    using place = makeFolder({})
    const ended = await throughline(place.folder, args)
    expect(ended).toMatchObject({ exitCode, stdout: stdout === "" ? "" : expect.stringMatching(stdout) })
    expect(ended.stderr === "").toBe(exitCode === 0)
  })

  it.each(
    commands
      .filter(({ options }) => options.some(({ long }) => long === "--cwd"))
      .map((command) => command.name()),
  )("%s names a folder that isn't there", async (name) => {
    using place = makeFolder({})
    expect(await throughline(place.folder, [name, "--cwd", "nowhere"])).toMatchObject({
      ...{ exitCode: 1, stdout: "" },
      stderr: expect.stringMatching(/^throughline: there is no folder .*nowhere\n$/),
    })
  })
})
