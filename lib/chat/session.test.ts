import { sealData } from "iron-session"
import { describe, expect, it } from "vitest"
import { identifyRequest, nameSchema, newGuest, sessionCookie, sessionOptions } from "./session.ts"

const options = sessionOptions({
  SESSION_SECRET: "a secret of this test, long enough",
  hasSecureCookies: true,
})
const nobodyLeft = { hasLeft: async () => false }
const request = (cookie: string) =>
  new Request("http://chat.test/", { headers: cookie === "" ? {} : { cookie } })

describe("a request's session", () => {
  it("is that of the sealed cookie, among others", async () => {
    const user = newGuest("アキ")
    const sealed = await sealData({ user }, { password: options.password })
    expect(
      await identifyRequest(
        request(`a=b; ${sessionCookie}=${encodeURIComponent(sealed)}; c=d`),
        options,
        nobodyLeft,
      ),
    ).toEqual(user)
  })

  it("is nobody's without a cookie, with a forged one, or one of another secret", async () => {
    const foreign = await sealData(
      { user: newGuest("Eve") },
      { password: "another secret, also long enough" },
    )
    for (const cookie of [
      "",
      "x=y",
      `${sessionCookie}=`,
      `${sessionCookie}=forged`,
      `${sessionCookie}=%zz`,
      `${sessionCookie}=${foreign}`,
    ]) {
      expect(await identifyRequest(request(cookie), options, nobodyLeft)).toBeNull()
    }
  })

  it("is nobody's when it is too old", async () => {
    const sealed = await sealData({ user: newGuest("Old") }, { password: options.password, ttl: 1 })
    const aged = { ...options, ttl: 1 }
    const real = Date.now
    Date.now = () => real() + 120_000
    try {
      expect(await identifyRequest(request(`${sessionCookie}=${sealed}`), aged, nobodyLeft)).toBeNull()
    } finally {
      Date.now = real
    }
  })

  it("stands in a cookie that scripts and other sites don't get", () => {
    expect(options.cookieOptions).toMatchObject({ httpOnly: true, sameSite: "lax", secure: true })
  })
})

describe("a guest's name", () => {
  it.each([["Aki"], ["日本 太郎"], ["👩‍👩‍👧"], ["  trimmed  "], ["x".repeat(40)]])("may be %j", (name) => {
    expect(nameSchema.safeParse(name)).toMatchObject({ success: true, data: name.trim() })
  })
  it.each([
    [""],
    ["   "],
    ["\u200b\u2060"],
    ["\u3164"],
    ["\u2800"],
    ["x".repeat(41)],
    ["a\u202Eb"],
    ["a\u061cb"],
    ["a\nb"],
    ["a\u0000b"],
    [7],
    [null],
    [undefined],
  ])("may not be %j", (name) => {
    expect(nameSchema.safeParse(name).success).toBe(false)
  })
})
