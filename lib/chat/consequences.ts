import "server-only"
import { isRealtimeError, RealtimeError, type User, withinLimit } from "throughline"
import { createSparing } from "../operations/sparing.ts"
import { getChat, report } from "../realtime/server.ts"
import { refusePerson } from "./current.ts"

/** A function may be ended after 15 s, and a person waits no longer than that for a page. */
const patienceMs = 4_000

/** A database to which packets get lost answers after minutes. */
const within = <T>(work: Promise<T>, limitMs = patienceMs) =>
  withinLimit(limitMs, "sign out in time", () => work)

/** Whoever keeps a cookie can sign out by it again and again. */
const isNews = createSparing(1, 60 * 60)

/**
 * Server: ends every session of this person, wherever its cookie is, and what they have open. Never rejects: false where the former
 * couldn't be noted, which is logged with what to do about it, for each person once an hour.
 */
export async function endSessions(user: User): Promise<boolean> {
  try {
    const { guests, realtime } = await within(getChat())
    const close = async (isFirst: boolean) => {
      // What is open already and only listens; a provider that can't be told is logged, and keeps nobody signed in.
      if (isFirst || !(await refusePerson(user, "revocations"))) await realtime.revoke(user)
    }
    const noted = within(guests.leave(user.id))
    await within(noted.catch(() => false).then(close), 2 * patienceMs).catch(async (error: unknown) => {
      if (await isNews(`what is open of ${user.id}`)) await report(error, { stage: "end what is open" })
    })
    await noted
    return true
  } catch (cause) {
    if (!(await isNews(user.id))) return false
    const message = [
      `unable to end the sessions of ${user.id}; they are signed out in their browser, but a copy of its cookie`,
      `is good until it expires: run "npm run data -- sign-out ${user.id}" once the database can be written`,
    ].join(" ")
    await report(new RealtimeError(codeOf(cause), { message, cause }), { stage: "sign out" })
    return false
  }
}

const codeOf = (error: unknown) => (isRealtimeError(error) ? error.code : "internal")
