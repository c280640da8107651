"use client"
import { Dialog } from "@base-ui/react/dialog"
import { useTranslations } from "next-intl"
import { useEffect, useState } from "react"
import type { Room } from "#lib/chat/rooms.ts"
import { isolated } from "#lib/i18n/isolated.ts"
import { Avatar } from "../../_components/avatar.tsx"
import { Button, buttonClass } from "../../_components/button.tsx"
import { useMe } from "../../_components/chat-provider.tsx"
import { type DialogState, FarewellDialog } from "../../_components/farewell-dialog.tsx"
import { Modal } from "../../_components/modal.tsx"
import { toast } from "../../_components/toast.tsx"
import { removeMember } from "../../actions.ts"
import { NameMark, type RoomPerson, useMarkedName, useRoomPeople } from "./room-people.tsx"

/** Everybody of a private room, for its owner, who may put them out. */
export function RemoveDialog({ room, isOpen, onOpenChange }: DialogState & { room: Room }) {
  const t = useTranslations("rooms")
  const me = useMe()
  const { people, refresh } = useRoomPeople()
  const marked = useMarkedName()
  const [chosen, setChosen] = useState<RoomPerson | null>(null)
  const [isAsking, setIsAsking] = useState(false)
  /** The server's list is without them in a moment. */
  const [removed, setRemoved] = useState<readonly string[]>([])
  useEffect(() => {
    if (!isOpen) return
    setRemoved([])
    refresh(0)
  }, [isOpen, refresh])
  const others = people.filter(({ id }) => id !== me.id && !removed.includes(id))
  const name = chosen ? marked(chosen.id, chosen.name) : ""

  async function remove(id: string) {
    const answer = await removeMember(me.id, room.id, id)
    // The dialog says why it was refused.
    if (typeof answer !== "boolean") return answer
    setIsAsking(false)
    setRemoved((before) => [...before, id])
    // Who is still in it is the server's to say.
    refresh(0)
    toast(t(answer ? "removedPerson" : "removedNobody", { name }))
    return null
  }

  return (
    <>
      <Dialog.Root open={isOpen} onOpenChange={onOpenChange}>
        <Modal title={t("removeTitle")} lead={t("removeLead")}>
          {others.length === 0 ? (
            <p className="text-muted text-sm">{t("removeNobody")}</p>
          ) : (
            <ul aria-label={t("removeTitle")} className="-mx-2 grid max-h-80 overflow-y-auto">
              {others.map((person) => (
                <li key={person.id} className="flex min-h-12 items-center gap-2.5 px-2">
                  <Avatar id={person.id} name={person.name} size={28} />
                  <span className="min-w-0 truncate text-sm">{isolated(person.name)}</span>
                  <NameMark id={person.id} />
                  <Button
                    className="ml-auto shrink-0"
                    aria-label={t("removePerson", { name: marked(person.id, person.name) })}
                    onClick={() => {
                      setChosen(person)
                      setIsAsking(true)
                    }}
                  >
                    {t("removeConfirm")}
                  </Button>
                </li>
              ))}
            </ul>
          )}
          <div className="flex justify-end">
            <Dialog.Close className={buttonClass("quiet")}>{t("done")}</Dialog.Close>
          </div>
        </Modal>
      </Dialog.Root>
      {chosen && (
        <FarewellDialog
          isOpen={isAsking}
          onOpenChange={setIsAsking}
          title={t("removeAsk", { name })}
          lead={t("removeAskLead")}
          stay={t("cancel")}
          leave={t("removeConfirm")}
          action={() => remove(chosen.id)}
        />
      )}
    </>
  )
}
