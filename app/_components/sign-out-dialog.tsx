"use client"
import { useTranslations } from "next-intl"
import { isolated } from "#lib/i18n/isolated.ts"
import { signOut } from "../actions.ts"
import { useMe } from "./chat-provider.tsx"
import { type DialogState, FarewellDialog } from "./farewell-dialog.tsx"
import { leaveForGood } from "./leave-for-good.ts"

/** Asks before a guest leaves for good: nobody can prove to be the same guest again. */
export function SignOutDialog(state: DialogState) {
  const t = useTranslations("settings")
  const me = useMe()
  return (
    <FarewellDialog
      {...state}
      title={t("signOutTitle")}
      lead={t("signOutLead", { name: isolated(me.name) })}
      stay={t("stay")}
      leave={t("signOut")}
      action={() => leaveForGood(me.id, signOut)}
    />
  )
}
