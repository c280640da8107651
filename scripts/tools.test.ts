import { describe, expect, it } from "vitest"
import {
  explainMissing,
  findChromium,
  findPostgres,
  hiddenTools,
  installLine,
  type Machine,
  type Tool,
  thisMachine,
  tools,
  toolVariables,
} from "./tools.ts"

function createMachine(files: string[], env: Record<string, string> = {}): Machine {
  return {
    env: { PATH: "/usr/local/bin:/usr/bin", ...env },
    exists: (path) => files.includes(path),
    list: (folder) => [
      ...new Set(
        files
          .filter((path) => path.startsWith(`${folder}/`))
          .map((path) => path.slice(folder.length + 1).split("/")[0] as string),
      ),
    ],
    output: () => null,
  }
}

const macChrome = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
const postgresIn = (folder: string) => [`${folder}/postgres`, `${folder}/initdb`]

describe("a tool is looked for", () => {
  it("in its variable first, then on the PATH in order, then in well-known places", () => {
    const files = ["/opt/chrome", "/usr/local/bin/google-chrome", "/usr/bin/chromium", macChrome]
    expect(findChromium(createMachine(files, { THROUGHLINE_CHROMIUM: "/opt/chrome" }))).toBe("/opt/chrome")
    expect(findChromium(createMachine(files))).toBe("/usr/local/bin/google-chrome")
    expect(findChromium(createMachine(files.slice(2)))).toBe("/usr/bin/chromium")
    expect(findChromium(createMachine([macChrome]))).toBe(macChrome)
    expect(findChromium(createMachine([]))).toBeNull()
  })

  it("nowhere else, when its variable names something that is not there", () => {
    const machine = createMachine(["/usr/bin/chromium"], { THROUGHLINE_CHROMIUM: "/gone" })
    expect(findChromium(machine)).toBeNull()
    expect(explainMissing(tools.chromium, machine)).toBe(
      "Chromium was not found; THROUGHLINE_CHROMIUM says /gone, which is not there",
    )
  })

  it("in the newest of several PostgreSQLs, and not in one without initdb", () => {
    const debian = (version: number) => `/usr/lib/postgresql/${version}/bin`
    const files = [...postgresIn(debian(9)), ...postgresIn(debian(15)), `${debian(16)}/postgres`]
    expect(findPostgres(createMachine(files))).toBe(debian(15))
    const homebrew = "/opt/homebrew/opt/postgresql@17/bin"
    expect(findPostgres(createMachine(postgresIn(homebrew)))).toBe(homebrew)
    const chosen = createMachine([...files, ...postgresIn("/mine")], { THROUGHLINE_POSTGRES_BIN: "/mine" })
    expect(findPostgres(chosen)).toBe("/mine")
  })

  it("in vain where all are hidden", () => {
    const machine = { ...thisMachine, env: { ...process.env, ...hiddenTools() } }
    const found = Object.values<Tool>(tools).filter(({ variable, find }) => variable && find(machine))
    expect(found.map(({ name }) => name)).toEqual([])
  })

  it("once, and every suite is told where it is", () => {
    const files = ["/usr/bin/chromium", ...postgresIn("/usr/local/bin")]
    expect(toolVariables(createMachine(files))).toEqual({
      THROUGHLINE_CHROMIUM: "/usr/bin/chromium",
      THROUGHLINE_POSTGRES_BIN: "/usr/local/bin",
    })
  })
})

describe("a tool that is missing", () => {
  it("is named with the one line that installs it on this kind of machine", () => {
    expect(installLine(tools.redis, "darwin")).toBe("brew install redis")
    expect(installLine(tools.chromium, "linux")).toBe(
      "sudo apt-get install --no-install-recommends chromium-headless-shell",
    )
  })

  it("doesn't break the search on a machine without the programs it asks", () => {
    expect(thisMachine.output("no-such-program", [])).toBeNull()
    expect(thisMachine.list("/no/such/folder")).toEqual([])
  })
})
