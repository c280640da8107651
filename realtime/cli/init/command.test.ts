import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { ownPackage } from "../package.ts"
import { Refusal } from "../refusal.ts"
import { inTerminal, makeFolder, throughline } from "../testing.ts"
import { applyChanges, planUndo, recover, undo } from "./apply.ts"

const app = {
  "package.json": '{\n  "name": "app",\n  "dependencies": {\n    "next": "16.4.3"\n  }\n}\n',
  "tsconfig.json": "{}\n",
  "app/layout.tsx": "export default function Layout() {}\n",
  ".env.local": "OTHER=1\n",
}
const yes = ["init", "--yes", "--no-install"]

const git = (folder: string, ...args: string[]) =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@localhost", ...args], {
    cwd: folder,
    encoding: "utf8",
  })

/** Without the record, which is in a folder that nobody commits. */
const committed = (snapshot: Record<string, string>) =>
  Object.fromEntries(Object.entries(snapshot).filter(([path]) => !path.startsWith("node_modules")))

describe("throughline init", () => {
  it("writes, changes nothing the second time, and is undone to the byte", async () => {
    using place = makeFolder(app)
    const before = place.snapshot()

    const dry = await throughline(place.folder, ["init", "--dry-run", "--example", "chat"])
    expect(dry).toMatchObject({ exitCode: 0, stderr: "" })
    expect(dry.stdout).toContain("+++ realtime/server.ts\n")
    expect(dry.stdout).not.toContain("\u001b")
    expect(place.snapshot()).toEqual(before)

    const first = await throughline(place.folder, [...yes, "--json"])
    expect(first).toMatchObject({ exitCode: 0, stderr: "" })
    const kinds = JSON.parse(first.stdout).changes.map(({ kind }: { kind: string }) => kind)
    expect([kinds.filter((kind: string) => kind === "write").length, kinds.length]).toEqual([5, 7])
    const written = place.snapshot()
    expect(written["instrumentation.ts"]).toContain("realtime.register()")

    const second = await throughline(place.folder, yes)
    expect(second).toMatchObject({
      exitCode: 0,
      stdout: "Everything is there already: nothing was changed.\n",
      stderr: expect.stringMatching(/^→ Run npm i: not installed yet: throughline, socket\.io, .*ably\.\n$/),
    })
    expect(place.snapshot()).toEqual(written)

    expect(await throughline(place.folder, ["init", "--undo"])).toMatchObject({ exitCode: 0, stderr: "" })
    expect(place.snapshot()).toEqual(before)
    expect(await throughline(place.folder, ["init", "--undo"])).toMatchObject({ exitCode: 1, stdout: "" })
  })

  it("takes no folder with changes that git would lose, unless it is told to", async () => {
    using place = makeFolder(app)
    git(place.folder, "init", "-q")
    git(place.folder, "add", "-A")
    git(place.folder, "commit", "-qm", "app")
    writeFileSync(join(place.folder, "app/layout.tsx"), "// mine\n")
    const { exitCode, stdout, stderr } = await throughline(place.folder, ["init", "--no-install"])
    expect(stdout).toBe("")
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("app/layout.tsx"),
    })
    expect(git(place.folder, "status", "--porcelain")).toBe(" M app/layout.tsx\n")
    expect(await throughline(place.folder, yes)).toMatchObject({ exitCode: 0 })
  })

  it.skipIf(!existsSync("/usr/bin/script")).each([
    ["Ctrl-C", "\u0003", "nothing was changed"],
    ["Ctrl-D", "\u0004", "nothing was changed"],
    ["no", "n\r", "nothing was changed"],
    ["yes", "y\r", "package.json lists"],
  ])("asks in a terminal, and takes %s for an answer", async (name, key, said) => {
    using place = makeFolder(app)
    const before = place.snapshot()
    const { stdout, exitCode } = await inTerminal(place.folder, ["init", "--no-install"], key)
    expect(stdout).toContain(said)
    expect(stdout).not.toContain("node:internal")
    expect(exitCode).toBe(name === "yes" ? 0 : 1)
    if (name !== "yes") expect(place.snapshot()).toEqual(before)
  })

  it.skipIf(process.platform === "win32").each([
    ["npm", "package-lock.json", 0],
    ["pnpm", "pnpm-lock.yaml", 0],
    ["yarn", "yarn.lock", 1],
    ["bun", "bun.lock", 0],
  ])("installs by the app's own %s, and brings %s back when it is undone", async (manager, lock, status) => {
    using place = makeFolder({ ...app, [lock]: "before" })
    const before = place.snapshot()
    using tools = makeFolder({
      [manager]: `#!/bin/sh\necho "$@ $(basename $PWD)" >> ${lock}\nexit ${status}\n`,
    })
    chmodSync(join(tools.folder, manager), 0o755)
    const env = { PATH: `${tools.folder}:${process.env.PATH}` }
    const { exitCode, stdout } = await throughline(place.folder, ["init", "--yes", "--json"], env)
    expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: status, installed: status === 0 })
    expect(readFileSync(join(place.folder, lock), "utf8")).toMatch(/^before(i|install) /)
    const undone = await throughline(place.folder, ["init", "--undo"])
    expect(undone).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("once more") })
    expect(undone.stdout).not.toContain("as it was")
    expect(place.snapshot()).toEqual(before)
  })

  it("says what is left to do where the installation is interrupted", async () => {
    using place = makeFolder({ ...app, "bin/npm": "#!/bin/sh\nkill -INT $PPID $$\n" })
    chmodSync(join(place.folder, "bin/npm"), 0o755)
    const env = { PATH: `${join(place.folder, "bin")}:${process.env.PATH}` }
    const { exitCode, stdout } = await throughline(place.folder, ["init", "--yes"], env)
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: expect.stringContaining("→ Run npm i: ") })
    expect(await throughline(place.folder, ["init", "--undo"])).toMatchObject({ exitCode: 0 })
  })

  it.each([
    ["the tarball beside its own", ["throughline-0.1.0.tgz", "throughline-emulators-0.1.0.tgz"], "file:"],
    ["its version where there is none", ["throughline-0.1.0.tgz"], "^"],
  ])("takes the emulators from %s", async (_, tarballs, start) => {
    const throughlineSpec = "file:../dist/throughline-0.1.0.tgz"
    const manifest = JSON.stringify({ dependencies: { next: "16.4.3", throughline: throughlineSpec } })
    using place = makeFolder({
      ...Object.fromEntries(Object.entries(app).map(([path, text]) => [`app/${path}`, text])),
      ...Object.fromEntries(tarballs.map((name) => [`dist/${name}`, ""])),
      "app/package.json": manifest,
    })
    const folder = join(place.folder, "app")
    expect(await throughline(folder, yes)).toMatchObject({ exitCode: 0 })
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
    expect(dependencies.throughline).toBe(throughlineSpec)
    expect(devDependencies["throughline-emulators"]).toBe(
      start === "file:" ? "file:../dist/throughline-emulators-0.1.0.tgz" : `^${ownPackage().version}`,
    )
  })

  it.each([
    ["a folder that isn't an app", {}, [], 1, "there is no package.json here"],
    ["no such folder", app, ["--cwd", "nowhere"], 1, "there is no folder"],
    ["an unknown option", app, ["--frobnicate"], 2, "unknown option '--frobnicate'"],
    ["an unknown provider", app, ["--provider", "mqtt"], 2, 'not "mqtt"'],
    ["an unknown example", app, ["--example", "poker"], 2, "Allowed choices are chat, counter"],
  ])("ends well for %s", async (_, files, args, exitCode, reason) => {
    using place = makeFolder(files)
    const before = place.snapshot()
    const ended = await throughline(place.folder, [...yes, ...args])
    expect(ended).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(reason) })
    expect(place.snapshot()).toEqual(before)
  })

  it("gives programs the reason, too", async () => {
    using place = makeFolder({})
    const { stdout } = await throughline(place.folder, ["init", "--json"])
    expect(JSON.parse(stdout)).toMatchObject({ error: "there is no package.json here" })
  })
})

describe("changes", () => {
  const write = (path: string) => ({ path, before: null, after: `${path}\n` })

  it("are made all or none: what can't be written takes the rest back", () => {
    using place = makeFolder({ "a/kept.ts": "", blocked: "a file where a folder should be" })
    const before = place.snapshot()
    expect(() =>
      applyChanges(place.folder, [write("a/new.ts"), write("b/c/new.ts"), write("blocked/new.ts")]),
    ).toThrow(/unable to write/)
    expect(committed(place.snapshot())).toEqual(before)
  })

  it.skipIf(process.platform === "win32")("are refused where this user may not write, and nothing is", () => {
    using place = makeFolder({ "a.ts": "a" })
    const before = place.snapshot()
    chmodSync(place.folder, 0o555)
    // Whom no right concerns becomes somebody else meanwhile.
    const isRoot = process.geteuid?.() === 0
    if (isRoot) process.seteuid?.(65_534)
    try {
      expect(() => applyChanges(place.folder, [write("b.ts")])).toThrow("this user may not write")
    } finally {
      if (isRoot) process.seteuid?.(0)
      chmodSync(place.folder, 0o755)
    }
    expect(place.snapshot()).toEqual(before)
  })

  it("are not made over what somebody wrote meanwhile", () => {
    using place = makeFolder({ "a.ts": "theirs" })
    expect(() => applyChanges(place.folder, [write("b.ts"), write("a.ts")])).toThrow(
      "a.ts was changed meanwhile",
    )
    expect(committed(place.snapshot())).toEqual({ "a.ts": "theirs" })
  })

  it("are taken back after a process that was ended in the middle", () => {
    using place = makeFolder({ "a.ts": "a" })
    const before = place.snapshot()
    applyChanges(place.folder, [
      { path: "a.ts", before: "a", after: "changed" },
      write("b/new.ts"),
      write("c/new.ts"),
    ])
    // As it is when it is killed before the third: its record says that it is writing.
    const record = join(place.folder, "node_modules/.cache/throughline/init.json")
    writeFileSync(record, readFileSync(record, "utf8").replace('"state":"done"', '"state":"writing"'))
    rmSync(join(place.folder, "c/new.ts"))
    expect(recover(place.folder)).toBe(true)
    expect(committed(place.snapshot())).toEqual(before)
    expect(recover(place.folder)).toBe(false)
  })

  it("are taken back alone after a second process that was ended in the middle: the first is undone still", () => {
    using place = makeFolder({ "a.ts": "1" })
    const before = place.snapshot()
    applyChanges(place.folder, [{ path: "a.ts", before: "1", after: "2" }])
    const first = place.snapshot()
    applyChanges(place.folder, [{ path: "a.ts", before: "2", after: "3" }, write("b.ts")])
    const record = join(place.folder, "node_modules/.cache/throughline/init.json")
    writeFileSync(record, readFileSync(record, "utf8").replace('"state":"done"', '"state":"writing"'))
    expect(recover(place.folder)).toBe(true)
    expect(place.snapshot()).toEqual(first)
    undo(place.folder)
    expect(place.snapshot()).toEqual(before)
  })

  it("keep a file's permissions, and a link a link", () => {
    using place = makeFolder({ "a.ts": "a", "real.ts": "b" })
    chmodSync(join(place.folder, "a.ts"), 0o755)
    symlinkSync("real.ts", join(place.folder, "link.ts"))
    applyChanges(place.folder, [
      { path: "a.ts", before: "a", after: "A" },
      { path: "link.ts", before: "b", after: "B" },
    ])
    expect(statSync(join(place.folder, "a.ts")).mode & 0o777).toBe(0o755)
    expect(readFileSync(join(place.folder, "real.ts"), "utf8")).toBe("B")
  })

  it("aren't undone over what was changed since, but for a package.json that others add to", () => {
    const text = '{\n  "scripts": {\n    "dev": "next"\n  }\n}\n'
    const added = text.replace('"next"', '"next",\n    "doctor": "throughline doctor"')
    using place = makeFolder({ "package.json": text })
    applyChanges(place.folder, [{ path: "package.json", before: text, after: added }, write("a.ts")])
    writeFileSync(join(place.folder, "a.ts"), "mine")
    expect(() => planUndo(place.folder)).toThrow("changed since init: a.ts")
    writeFileSync(join(place.folder, "a.ts"), "a.ts\n")
    writeFileSync(join(place.folder, "package.json"), added.replace('"dev": "next"', '"dev": "next --turbo"'))
    undo(place.folder)
    expect(place.snapshot()).toEqual({ "package.json": text.replace('"next"', '"next --turbo"') })
  })

  it("that can't be taken back end in a reason, and are taken back by the next try", () => {
    using place = makeFolder({ "a/kept.ts": "" })
    const before = place.snapshot()
    applyChanges(place.folder, [write("a/one.ts"), write("b/two.ts")])
    const one = join(place.folder, "a/one.ts")
    rmSync(one)
    mkdirSync(one)
    expect(() => undo(place.folder)).toThrow(Refusal)
    rmSync(one, { recursive: true })
    undo(place.folder)
    expect(place.snapshot()).toEqual(before)
  })

  it("whose record is damaged end in a reason", () => {
    using place = makeFolder({ "node_modules/.cache/throughline/init.json": '{ "state": "do' })
    expect(() => undo(place.folder)).toThrow(/init\.json can't be read as JSON/)
    expect(() => recover(place.folder)).toThrow(Refusal)
  })

  it("of several runs are undone together", () => {
    using place = makeFolder({ "a.ts": "1" })
    const before = place.snapshot()
    applyChanges(place.folder, [{ path: "a.ts", before: "1", after: "2" }])
    applyChanges(place.folder, [{ path: "a.ts", before: "2", after: "3" }, write("b/c.ts")])
    undo(place.folder)
    expect(place.snapshot()).toEqual(before)
  })

  it("leave in package.json what was added to it between two runs", () => {
    const listing = (dependencies: object) => `${JSON.stringify({ dependencies }, null, 2)}\n`
    const [own, edited] = [listing({ next: "16" }), listing({ ably: "^2", next: "16", zustand: "5" })]
    const [once, twice] = [
      listing({ ably: "^2", next: "16" }),
      listing({ ably: "^2", next: "16", pusher: "^5", zustand: "5" }),
    ]
    using place = makeFolder({ "package.json": own })
    applyChanges(place.folder, [{ path: "package.json", before: own, after: once }])
    writeFileSync(join(place.folder, "package.json"), edited)
    applyChanges(place.folder, [{ path: "package.json", before: edited, after: twice }])
    const kept = listing({ next: "16", zustand: "5" })
    expect(planUndo(place.folder)).toEqual([{ path: "package.json", before: twice, after: kept }])
    expect(undo(place.folder)).toEqual(["package.json keeps what was changed in it since."])
    expect(place.snapshot()).toEqual({ "package.json": kept })
  })

  it("of a file that was changed between two runs aren't undone", () => {
    using place = makeFolder({ "a.ts": "1" })
    applyChanges(place.folder, [{ path: "a.ts", before: "1", after: "2" }])
    writeFileSync(join(place.folder, "a.ts"), "2, and mine")
    applyChanges(place.folder, [{ path: "a.ts", before: "2, and mine", after: "3" }])
    expect(() => undo(place.folder)).toThrow("changed since init: a.ts")
    expect(readFileSync(join(place.folder, "a.ts"), "utf8")).toBe("3")
  })
})
