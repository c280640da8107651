"use client"
import { useTranslations } from "next-intl"
import { useActionState } from "react"
import { Button } from "./_components/button.tsx"
import { Field } from "./_components/field.tsx"
import { signIn } from "./actions.ts"

export function WelcomeForm({ next }: { next: string }) {
  const t = useTranslations("welcome")
  const [state, action, isPending] = useActionState(signIn, null)
  return (
    <form action={action} className="grid gap-4">
      <input type="hidden" name="next" value={next} />
      <Field
        id="name"
        name="name"
        label={t("name")}
        placeholder={t("placeholder")}
        error={state ? t(state.error) : undefined}
        maxLength={40}
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
