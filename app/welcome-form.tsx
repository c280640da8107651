"use client"
import { useTranslations } from "next-intl"
import { maxPersonNameLength } from "#lib/chat/names.ts"
import { Button } from "./_components/button.tsx"
import { Field } from "./_components/field.tsx"
import { useRefusalText, useServerAction } from "./_components/server-action.tsx"
import { signIn } from "./actions.ts"

/** A page may be older than the cookie that has to come back. The answer has brought it: a second try tells whether it is kept. */
async function signInWithCookie(form: FormData) {
  const answer = await signIn(null, form)
  return answer?.error === "cookieLost" ? signIn(answer, form) : answer
}

export function WelcomeForm({ next }: { next: string }) {
  const t = useTranslations("welcome")
  const names = useTranslations("names")
  const refusalText = useRefusalText()
  const [state, action, isPending, sent] = useServerAction(signIn, signInWithCookie)
  const errorText = (refused: NonNullable<typeof state>) => {
    if (refused.error === "badName") return names(refused.reason, { max: maxPersonNameLength })
    return refused.error === "cookieLost" ? t(refused.error) : refusalText(refused)
  }
  return (
    <form action={action} className="grid gap-4">
      <input type="hidden" name="next" value={next} />
      <Field
        id="name"
        name="name"
        label={t("name")}
        placeholder={t("placeholder")}
        error={state ? errorText(state) : undefined}
        defaultValue={sent ? String(sent.get("name")) : undefined}
        max={maxPersonNameLength}
        required
        autoFocus
        autoComplete="nickname"
      />
      <Button type="submit" look="primary" disabled={isPending} className="min-h-11 text-base">
        {isPending ? t("entering") : t("enter")}
      </Button>
    </form>
  )
}
