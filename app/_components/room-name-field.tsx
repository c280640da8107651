"use client"
import { useTranslations } from "next-intl"
import type { Refusal } from "#lib/chat/current.ts"
import { maxRoomNameLength } from "#lib/chat/names.ts"
import type { BadName } from "../actions.ts"
import { Field } from "./field.tsx"
import { type Unreached, useRefusalText } from "./server-action.tsx"

/** What a room is called, and why the server refused a name. */
export function RoomNameField({
  refusal,
  value,
}: {
  refusal: Refusal | Unreached | BadName | null
  value: string | undefined
}) {
  const t = useTranslations()
  const refusalText = useRefusalText()
  const errorText = (refused: NonNullable<typeof refusal>) =>
    refused.error === "badName"
      ? t(`names.${refused.reason}`, { max: maxRoomNameLength })
      : refusalText(refused)
  return (
    <Field
      id="room-name"
      name="name"
      label={t("rooms.name")}
      max={maxRoomNameLength}
      required
      error={refusal ? errorText(refusal) : undefined}
      defaultValue={value}
    />
  )
}
