import "server-only"
import { isKeepable } from "throughline"
import * as z from "zod/mini"
import { warnOnce } from "../operations/process-log.ts"
import type { Refusal } from "./current.ts"

/**
 * Server: an action that judges what it is called with before anything is done, since anybody can call it with anything. What doesn't fit
 * is refused; the log says so once, in case a page of ours sent it.
 */
export function action<Sent extends unknown[], Arguments extends unknown[], Answer>(
  schema: z.ZodMiniType<Arguments, Sent>,
  act: (...given: Arguments) => Promise<Answer>,
): (...sent: Sent) => Promise<Answer | Refusal> {
  return async (...sent) => {
    const given = schema.safeParse(sent)
    if (given.success) return act(...given.data)
    warnOnce("arguments of an action", { issues: given.error.issues }, misfit)
    return { error: "invalid-request" }
  }
}

const misfit =
  "a server action was called with what its page doesn't send, and was refused; more aren't logged"

/** The arguments of an action that a form calls: what it answered last, and the form, whose fields are read by these schemas. */
export const formOf = <Fields extends z.core.$ZodLooseShape>(fields: Fields) =>
  z.tuple([
    z.unknown(),
    z.pipe(
      z.instanceof(FormData),
      z.pipe(
        z.transform((form: FormData): unknown => Object.fromEntries(form)),
        z.object(fields),
      ),
    ),
  ])

/** What a room or an invitation may be called in an address, long enough for every one that there is. */
export const idSchema = z.string().check(z.minLength(1), z.maxLength(128), z.refine(isKeepable))
