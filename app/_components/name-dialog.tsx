"use client"
import { Dialog } from "@base-ui/react/dialog"
import { useTranslations } from "next-intl"
import { useEffect } from "react"
import { maxPersonNameLength } from "#lib/chat/names.ts"
import { isolated } from "#lib/i18n/isolated.ts"
import { changeName } from "../actions.ts"
import { Button, buttonClass } from "./button.tsx"
import { useMe } from "./chat-provider.tsx"
import type { DialogState } from "./farewell-dialog.tsx"
import { Field } from "./field.tsx"
import { Modal } from "./modal.tsx"
import { OwnerField, useRefusalText, useServerAction } from "./server-action.tsx"
import { toast } from "./toast.tsx"

/** Gives a guest another name; they stay the same person. */
export function NameDialog({ isOpen, onOpenChange }: DialogState) {
  const t = useTranslations("name")
  return (
    <Dialog.Root open={isOpen} onOpenChange={onOpenChange}>
      <Modal title={t("title")} lead={t("lead")}>
        <NameForm onDone={() => onOpenChange(false)} />
      </Modal>
    </Dialog.Root>
  )
}

function NameForm({ onDone }: { onDone(): void }) {
  const t = useTranslations("name")
  const names = useTranslations("names")
  const rooms = useTranslations("rooms")
  const me = useMe()
  const refusalText = useRefusalText()
  const [state, action, isPending, sent] = useServerAction(changeName)
  const name = state && "name" in state ? state.name : null
  useEffect(() => {
    if (name === null) return
    onDone()
    toast(t("changed", { name: isolated(name) }))
  }, [name, onDone, t])
  const errorText = (refused: Exclude<typeof state, { name: string } | null>) =>
    refused.error === "badName" ? names(refused.reason, { max: maxPersonNameLength }) : refusalText(refused)
  return (
    <form action={action} className="grid gap-4">
      <OwnerField id={me.id} />
      <Field
        id="own-name"
        name="name"
        label={t("label")}
        max={maxPersonNameLength}
        required
        autoComplete="nickname"
        error={state && "error" in state ? errorText(state) : undefined}
        defaultValue={sent ? String(sent.get("name")) : me.name}
        onFocus={(event) => event.currentTarget.select()}
      />
      <div className="flex justify-end gap-2">
        <Dialog.Close className={buttonClass("quiet")}>{rooms("cancel")}</Dialog.Close>
        <Button type="submit" look="primary" disabled={isPending}>
          {t("submit")}
        </Button>
      </div>
    </form>
  )
}
