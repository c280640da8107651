import { describe, expect, it } from "vitest"
import { toImportError } from "./optional-packages.ts"

/** What Node.js says when there is no such package. */
const notFound = (name: string, code = "ERR_MODULE_NOT_FOUND") =>
  Object.assign(new Error(`Cannot find package '${name}' imported from /app/file.js`), { code })

describe("code that needs a package which isn't installed", () => {
  it.each(["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"])(
    "says which one, and the line that installs all that it needs: %s",
    (code) => {
      const cause = notFound("redis", code)
      expect(toImportError(["adapter", "redis"], cause)).toMatchObject({
        code: "invalid-config",
        message: '[realtime] unable to load "redis"; it is not installed. Run: npm install adapter redis',
        cause,
      })
    },
  )

  it("says of the emulators, which no registry has, where their tarball is", () => {
    expect(toImportError(["throughline-emulators"], notFound("throughline-emulators"))).toMatchObject({
      code: "invalid-config",
      message: expect.stringContaining("/dist/throughline-emulators-*.tgz, which `npm run pack` makes"),
    })
  })

  it.each([
    ["of another package", notFound("a-part-of-redis")],
    ["of the package's own", new Error("'redis' is broken")],
  ])("passes on an error %s", (_, cause) => {
    expect(toImportError(["redis"], cause)).toBe(cause)
  })
})
