"use client"
import { useTranslations } from "next-intl"
import type { Refusal } from "#lib/chat/current.ts"
import { Field } from "./field.tsx"
import { type Unreached, useRefusalText } from "./server-action.tsx"

/** What a room is called, and why the server refused a name. */
export function RoomNameField({
  refusal,
  value,
}: {
  refusal: Refusal | Unreached | { error: "badName" } | null
  value: string | undefined
}) {
  const t = useTranslations("rooms")
  const refusalText = useRefusalText()
  return (
    <Field
      id="room-name"
      name="name"
      label={t("name")}
      maxLength={60}
      required
      error={refusal ? (refusal.error === "badName" ? t("badName") : refusalText(refusal)) : undefined}
      defaultValue={value}
    />
  )
}
