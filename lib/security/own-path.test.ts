import { describe, expect, it } from "vitest"
import { ownPath } from "./own-path.ts"

describe("an address of this site", () => {
  it.each([
    ["/", "/"],
    ["/rooms/lobby", "/rooms/lobby"],
    ["/lab?visit=1&next=//evil.example#top", "/lab?visit=1&next=//evil.example#top"],
    ["/rooms/%2F%2Fevil.example", "/rooms/%2F%2Fevil.example"],
    ["/rooms/部屋?語=え#い", "/rooms/%E9%83%A8%E5%B1%8B?%E8%AA%9E=%E3%81%88#%E3%81%84"],
    ["/rooms/\ud800", "/rooms/%EF%BF%BD"],
    ["/rooms/a\r\nSet-Cookie: b=c", "/rooms/aSet-Cookie:%20b=c"],
    ["/rooms/\0\x7f", "/rooms/%00%7F"],
    ["/rooms/../lab", "/lab"],
    ["/rooms\\x", "/rooms/x"],
    ["/a@evil.example", "/a@evil.example"],
    ["/%", "/%"],
  ])("%j is %j", (address, path) => {
    expect(ownPath(address)).toBe(path)
  })

  it.each([
    ...[undefined, null, "", ["/lab"], new Blob([])],
    ...[
      "//evil.example",
      "///evil.example",
      "////evil.example",
      "//evil.example/%2F..",
      "//user@evil.example",
    ],
    ...["/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example"],
    ...[
      "/\t/evil.example",
      "\t//evil.example",
      "/\n/evil.example",
      "/\r\n\\evil.example",
      "\0//evil.example",
    ],
    ...["/.//evil.example", "/..//evil.example", "/x/..//evil.example", "/%2e//evil.example", "/.%2E//evil"],
    ...["/.\\/evil.example", "/./\\evil.example", "..//evil.example", "/\t.//evil.example"],
    ...[
      "http://evil.example",
      "https:evil.example",
      "http:/evil.example",
      "HTTP:\\evil.example",
      " https://e",
    ],
    ...[
      "javascript:alert(1)",
      "java\tscript:alert(1)",
      "data:text/html,x",
      "blob:x",
      "mailto:a@b",
      "file:///e",
    ],
    ...["//", "//[", "http://", "//evil.example:99999"],
  ])("isn't %j", (address) => {
    expect(ownPath(address)).toBeUndefined()
  })

  it("may be absolute where the site's origin is known", () => {
    const site = "https://chat.example"
    expect(ownPath("https://chat.example/lab#x", site)).toBe("/lab#x")
    expect(ownPath("https://chat.example:443/lab", site)).toBe("/lab")
    for (const address of [
      "http://chat.example/lab",
      "https://chat.example.evil.example/lab",
      "https://chat.example@evil.example/lab",
      "https://chat.example//evil.example",
      "https://chat.example:8443/lab",
      "blob:https://chat.example/lab",
    ])
      expect(ownPath(address, site)).toBeUndefined()
  })

  it("leads nowhere else when a page follows it, whatever it is made of", () => {
    const parts = ["/", "\\", "\t", "\n", ".", "%2e", "evil.example", "http:", "@", "?", "#"]
    const tried = parts.flatMap((a) => parts.flatMap((b) => parts.map((c) => a + b + c)))
    for (const address of [...tried, ...tried.map((end) => `/${end}evil.example`)]) {
      const path = ownPath(address)
      if (path === undefined) continue
      expect(path).toMatch(/^\/[!-~]*$/)
      for (const page of ["http://chat.example/rooms/lobby", "https://chat.example/"])
        expect(URL.parse(path, page)?.origin).toBe(new URL(page).origin)
    }
  })
})
