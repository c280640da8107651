import { describe, expect, it } from "vitest"
import { loadWith } from "./optional-packages.ts"

/** What Node.js says when there is no such package. */
const notFound = (name: string) =>
  Object.assign(new Error(`Cannot find package '${name}' imported from /app/file.js`), {
    code: "ERR_MODULE_NOT_FOUND",
  })

describe("code that needs a package which isn't installed", () => {
  it("says which one, and the line that installs all that it needs", async () => {
    const cause = notFound("redis")
    const loading = loadWith(["adapter", "redis"], () => Promise.reject(cause))
    await expect(loading).rejects.toMatchObject({
      code: "invalid-config",
      message: '[realtime] unable to load "redis"; it is not installed. Run: npm install adapter redis',
      cause,
    })
  })

  it.each([
    ["of another package", notFound("a-part-of-redis")],
    ["of the package's own", new Error("'redis' is broken")],
  ])("passes on an error %s", async (_, cause) => {
    await expect(loadWith(["redis"], () => Promise.reject(cause))).rejects.toBe(cause)
  })
})
