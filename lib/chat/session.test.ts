import { sealData } from "iron-session"
import type { User } from "throughline"
import { describe, expect, it } from "vitest"
import {
  hostSessionCookie,
  identifyRequest,
  newGuest,
  openSession,
  sessionCookie,
  sessionOptions,
} from "./session.ts"

const options = sessionOptions({
  SESSION_SECRET: "a secret of this test, long enough",
  hasSecureCookies: true,
})
const nobodyLeft = { present: async (user: User) => user }
const request = (cookie: string) =>
  new Request("http://chat.test/", { headers: cookie === "" ? {} : { cookie } })

describe("a request's session", () => {
  it("is that of the sealed cookie, among others", async () => {
    const user = newGuest("アキ")
    const sealed = await sealData({ user }, { password: options.password })
    expect(
      await identifyRequest(
        request(`a=b; ${hostSessionCookie}=${encodeURIComponent(sealed)}; c=d`),
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
      ...[hostSessionCookie, sessionCookie].flatMap((name) => [
        `${name}=`,
        `${name}=forged`,
        `${name}=%zz`,
        `${name}=${foreign}`,
      ]),
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
      expect(await identifyRequest(request(`${hostSessionCookie}=${sealed}`), aged, nobodyLeft)).toBeNull()
    } finally {
      Date.now = real
    }
  })

  it("stands in a cookie that scripts and other sites don't get", () => {
    // What browsers ask of a name that begins like this.
    expect(options).toMatchObject({ cookieName: "__Host-throughline_session" })
    expect(options.cookieOptions).toEqual({ httpOnly: true, sameSite: "lax", secure: true, path: "/" })
    // Without TLS they would take none of that name.
    const open = sessionOptions({ SESSION_SECRET: String(options.password), hasSecureCookies: false })
    expect(open).toMatchObject({ cookieName: sessionCookie, cookieOptions: { secure: false } })
  })
})

/** What a browser keeps, as Next.js hands it to an action. */
function createJar(kept: Record<string, string> = {}) {
  const jar = new Map(Object.entries(kept))
  return {
    jar,
    get: (name: string) => (jar.has(name) ? { name, value: jar.get(name) ?? "" } : undefined),
    set: (name: string, value: string, { maxAge }: { maxAge?: number | undefined } = {}) =>
      void (maxAge === 0 ? jar.delete(name) : jar.set(name, value)),
  }
}

describe("a session from before its cookie had the name that browsers take from its host alone", () => {
  const aki = newGuest("Aki")
  const sealedFormerly = () => sealData({ user: aki }, { password: String(options.password) })
  const whoBrings = (jar: Map<string, string>) =>
    identifyRequest(
      request([...jar].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("; ")),
      options,
      nobodyLeft,
    )

  it("goes on, for requests and pages", async () => {
    const store = createJar({ [sessionCookie]: await sealedFormerly() })
    expect(await whoBrings(store.jar)).toEqual(aki)
    expect((await openSession(store, options)).user).toEqual(aki)
  })

  it("ends with signing out, and with signing in as somebody else", async () => {
    for (const next of [null, newGuest("Ben")]) {
      const store = createJar({ [sessionCookie]: await sealedFormerly() })
      const session = await openSession(store, options)
      if (next) {
        session.user = next
        await session.save()
      } else session.destroy()
      expect(store.jar.has(sessionCookie)).toBe(false)
      expect(await whoBrings(store.jar)).toEqual(next)
    }
  })

  it("doesn't stand against the present one", async () => {
    const ben = newGuest("Ben")
    const store = createJar({ [sessionCookie]: await sealedFormerly() })
    store.set(hostSessionCookie, await sealData({ user: ben }, { password: String(options.password) }))
    expect(await whoBrings(store.jar)).toEqual(ben)
    expect((await openSession(store, options)).user).toEqual(ben)
  })

  it("isn't one that was given since, which another host of the domain may have put there", async () => {
    const store = createJar()
    const session = await openSession(store, options)
    session.user = newGuest("Mallory")
    await session.save()
    const planted = createJar({ [sessionCookie]: store.jar.get(hostSessionCookie) ?? "" })
    expect(await whoBrings(store.jar)).toEqual(session.user)
    expect(await whoBrings(planted.jar)).toBeNull()
    expect((await openSession(planted, options)).user).toBeUndefined()
  })
})
