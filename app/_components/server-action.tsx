"use client"
import { unstable_isUnrecognizedActionError, unstable_rethrow } from "next/navigation"
import { useFormatter, useTranslations } from "next-intl"
import { type ComponentProps, useActionState, useEffect, useState } from "react"
import { isRealtimeError, withinLimit } from "throughline"
import type { Refusal } from "#lib/chat/current.ts"
import { whenIn } from "#lib/i18n/when.ts"
import { isForeignForm } from "#lib/security/foreign-form.ts"
import { type FormRefusal, formRefusalOf } from "#lib/security/refused-form.ts"
import { tellSession } from "./session-news.tsx"

/** The server wasn't reached, what it answered didn't come, or no action took what was sent. */
export interface Unreached {
  error: "not-connected" | "timeout" | FormRefusal
}

/** A page that the answer leads to is part of it. */
const patienceMs = 30_000

/**
 * What an action of the server answers, or what `otherwise` makes of it that the network failed, or took too long, or that the server didn't
 * take what was sent. Whatever else it throws, as a redirect, goes on.
 */
export async function answerOr<T, U>(
  answer: Promise<T>,
  otherwise: (unreached: Unreached) => U,
): Promise<T | U> {
  try {
    const given = await withinLimit(patienceMs, "call the server", () => answer)
    // The page is somebody's who isn't signed in any more, and may not know it yet.
    if (isObject(given) && "error" in given && given.error === "session-changed") tellSession(null)
    return given
  } catch (error) {
    unstable_rethrow(error)
    // The server's own failures carry a digest, where it takes no form from this address it takes none at all, and a page of an earlier
    // deployment has to be loaded anew. Everything else is the network, or a proxy that answered in the server's place; thrown on, it
    // would put an error page in the place of the whole chat.
    const isServers = !isObject(error) || "digest" in error || isForeignForm(error)
    if (isServers || unstable_isUnrecognizedActionError(error)) throw error
    const isLate = isRealtimeError(error) && error.code === "timeout"
    return otherwise({ error: formRefusalOf(error) ?? (isLate ? "timeout" : "not-connected") })
  }
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

/**
 * `useActionState` for an action of the server, with the failure of the network as one more state, and with what was sent last, since
 * React empties a form that has been sent. `whenAlive` is done in the action's place by a page that runs scripts.
 */
export function useServerAction<S>(
  action: (previous: unknown, form: FormData) => Promise<S>,
  whenAlive: (form: FormData) => Promise<S> = (form) => action(null, form),
) {
  const [sent, setSent] = useState<FormData>()
  // Until the page is alive the browser sends the form by itself, which only the server's own action can take.
  const [isAlive, setIsAlive] = useState(false)
  useEffect(() => setIsAlive(true), [])
  const [state, run, isPending] = useActionState<S | Unreached | null, FormData>(
    isAlive
      ? (_, form) => {
          setSent(form)
          return answerOr(whenAlive(form), (unreached): S | Unreached => unreached)
        }
      : action,
    null,
  )
  return [state, run, isPending, sent] as const
}

/** What to tell of an action that wasn't done. */
export function useRefusalText(): (refusal: Refusal | Unreached) => string {
  const t = useTranslations()
  const format = useFormatter()
  return (refusal) => {
    if (refusal.error === "rate-limited")
      return t("app.tooMuch", { when: whenIn(format, refusal.retryAfterMs) })
    return refusal.error === "timeout" ? t("app.noAnswer") : t(`errors.${refusal.error}`)
  }
}

/** Whose page a form stands in: the server does what it asks in nobody else's name. */
export const OwnerField = ({ id }: { id: string }) => <input type="hidden" name="owner" value={id} />

interface Props extends Omit<ComponentProps<"form">, "action"> {
  owner: string
  action(previous: unknown, form: FormData): Promise<Refusal | null>
}

/** A form that has nothing to fill in: it says below itself why it wasn't done. */
export function ActionForm({ owner, action, children, ...props }: Props) {
  const refusalText = useRefusalText()
  const [state, run] = useServerAction(action)
  return (
    <form action={run} {...props}>
      <OwnerField id={owner} />
      {children}
      {state && (
        <p role="alert" className="text-bad text-sm">
          {refusalText(state)}
        </p>
      )}
    </form>
  )
}
