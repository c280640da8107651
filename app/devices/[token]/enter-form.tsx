"use client"
import { useTranslations } from "next-intl"
import { Button } from "../../_components/button.tsx"
import { useRefusalText, useServerAction } from "../../_components/server-action.tsx"
import { enterByLink } from "../../actions.ts"

export function EnterForm({ token, label }: { token: string; label: string }) {
  const t = useTranslations("welcome")
  const refusalText = useRefusalText()
  const [state, action, isPending] = useServerAction(enterByLink)
  return (
    <form action={action} className="grid justify-items-center gap-3">
      <input type="hidden" name="token" value={token} />
      <Button type="submit" look="primary" disabled={isPending} className="min-h-11 max-w-full">
        <span className="truncate">{label}</span>
      </Button>
      {state && (
        <p role="alert" className="text-bad text-sm">
          {state.error === "cookieLost" ? t(state.error) : refusalText(state)}
        </p>
      )}
    </form>
  )
}
