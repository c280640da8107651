"use client"
import { Dialog } from "@base-ui/react/dialog"
import { useTranslations } from "next-intl"
import { type ReactNode, useEffect, useState, useTransition } from "react"
import type { Room } from "#lib/chat/rooms.ts"
import { isolated } from "#lib/i18n/isolated.ts"
import { Avatar } from "../../_components/avatar.tsx"
import { Button, buttonClass } from "../../_components/button.tsx"
import { useMe } from "../../_components/chat-provider.tsx"
import { type DialogState, FarewellDialog } from "../../_components/farewell-dialog.tsx"
import { Modal } from "../../_components/modal.tsx"
import { answerOr, useRefusalText } from "../../_components/server-action.tsx"
import { toast } from "../../_components/toast.tsx"
import { letMemberIn, removeMember } from "../../actions.ts"
import { NameMark, type RoomPerson, useMarkedName, useRoomPeople } from "./room-people.tsx"
import { type KeptOutState, useKeptOut } from "./use-kept-out.ts"

/** Everybody of a room, for its owner, who may put them out, and let those in again whom a public one keeps out. */
export function RemoveDialog({ room, isOpen, onOpenChange }: DialogState & { room: Room }) {
  const t = useTranslations("rooms")
  const me = useMe()
  const { people, refresh } = useRoomPeople()
  const marked = useMarkedName()
  const [chosen, setChosen] = useState<RoomPerson | null>(null)
  const [isAsking, setIsAsking] = useState(false)
  /** The server's list is without them in a moment. */
  const [removed, setRemoved] = useState<readonly string[]>([])
  const keptOut = useKeptOut(room, isOpen)
  useEffect(() => {
    if (!isOpen) return
    setRemoved([])
    refresh(0)
  }, [isOpen, refresh])
  // Whom the list was without may be back in it: by an invitation, for example.
  useEffect(() => {
    const stillListed = removed.filter((id) => people.some((person) => person.id === id))
    if (stillListed.length < removed.length) setRemoved(stillListed)
  }, [people, removed])
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
    keptOut.ask()
    toast(t(answer ? "removedPerson" : "removedNobody", { name }))
    return null
  }

  return (
    <>
      <Dialog.Root open={isOpen} onOpenChange={onOpenChange}>
        <Modal title={t("removeTitle")} lead={t(room.isPrivate ? "removeLead" : "removeLeadPublic")}>
          {others.length === 0 ? (
            <p className="text-muted text-sm">{t("removeNobody")}</p>
          ) : (
            <People people={others} label={t("removeTitle")}>
              {(person) => (
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
              )}
            </People>
          )}
          <KeptOut
            room={room}
            {...keptOut}
            onLetIn={(id) => {
              setRemoved((before) => before.filter((other) => other !== id))
              refresh(0)
            }}
          />
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
          lead={t(room.isPrivate ? "removeAskLead" : "removeAskLeadPublic")}
          stay={t("cancel")}
          leave={t("removeConfirm")}
          action={() => remove(chosen.id)}
        />
      )}
    </>
  )
}

interface PeopleProps {
  people: readonly RoomPerson[]
  label: string
  /** What can be done with one of them. */
  children(person: RoomPerson): ReactNode
}

function People({ people, label, children }: PeopleProps) {
  return (
    <ul aria-label={label} className="-mx-2 grid max-h-80 overflow-y-auto">
      {people.map((person) => (
        <li key={person.id} className="flex min-h-12 items-center gap-2.5 px-2">
          <Avatar id={person.id} name={person.name} size={28} />
          <span className="min-w-0 truncate text-sm">{isolated(person.name)}</span>
          <NameMark id={person.id} />
          {children(person)}
        </li>
      ))}
    </ul>
  )
}

interface KeptOutProps extends KeptOutState {
  room: Room
  /** They may come back from now on. */
  onLetIn(id: string): void
}

function KeptOut({ room, people, ask, onLetIn }: KeptOutProps) {
  const t = useTranslations("rooms")
  const me = useMe()
  const marked = useMarkedName()
  const refusalText = useRefusalText()
  const [isLettingIn, start] = useTransition()
  const [error, setError] = useState<string | null>(null)

  async function letIn({ id, name }: RoomPerson): Promise<void> {
    const answer = await answerOr(letMemberIn(me.id, room.id, id), (unreached) => unreached)
    setError(typeof answer === "boolean" ? null : refusalText(answer))
    if (typeof answer !== "boolean") return
    onLetIn(id)
    ask()
    toast(t(answer ? "letInDone" : "letInNobody", { name: marked(id, name) }))
  }

  if (people === "asking" || people?.length === 0) return null
  return (
    <section aria-label={t("keptOut")} className="grid gap-1 border-line border-t pt-4">
      <h3 className="font-medium text-muted text-xs">{t("keptOut")}</h3>
      {people ? (
        <People people={people} label={t("keptOut")}>
          {(person) => (
            <Button
              className="ml-auto shrink-0"
              aria-label={t("letInPerson", { name: marked(person.id, person.name) })}
              disabled={isLettingIn}
              onClick={() => start(() => letIn(person))}
            >
              {t("letIn")}
            </Button>
          )}
        </People>
      ) : (
        <p role="alert" className="flex flex-wrap items-center gap-2 text-bad text-sm">
          {t("keptOutFailed")}
          <Button onClick={ask}>{t("keptOutRetry")}</Button>
        </p>
      )}
      {error && (
        <p role="alert" className="text-bad text-sm">
          {error}
        </p>
      )}
    </section>
  )
}
