"use client"
import { clsx } from "clsx"
import { Ban, Check, CircleAlert, Clock, LoaderCircle } from "lucide-react"
import { useFormatter, useTranslations } from "next-intl"
import {
  type FocusEvent,
  type PointerEvent,
  useCallback,
  useContext,
  useEffect,
  useSyncExternalStore,
} from "react"
import type { PendingRoomMessage, Quoted, Said } from "#lib/chat/conversation.ts"
import { Avatar } from "../../_components/avatar.tsx"
import { isFewEmoji, RichText } from "../../_components/rich-text.tsx"
import { FileList } from "./attachments/file-list.tsx"
import { AttentionContext } from "./attention.ts"
import { EditField } from "./edit-field.tsx"
import { MessageToolbar } from "./message-toolbar.tsx"
import { Quote } from "./quote.tsx"
import { Reactions } from "./reactions.tsx"
import { useRoomActions } from "./room-actions.ts"
import { NameMark, PresentName, useMarkedName } from "./room-people.tsx"

export interface MessageProps {
  said: Said
  /** What it answers, as far as that is known. */
  replied: Quoted | "gone" | null
  isFirst: boolean
  isLast: boolean
  timeZone: string
  isTabStop: boolean
  isEditing: boolean
  isHighlighted: boolean
}

/** What a screen reader says of a message that has the focus, after whose it is. */
const textIdOf = (id: string) => `text-${id}`

/** What somebody said: who, when, what came of it, and what one can do with it while it has one's attention. */
export function Message(props: MessageProps) {
  const { said, replied, isFirst, isLast, timeZone, isTabStop, isEditing, isHighlighted } = props
  const t = useTranslations("messages")
  const format = useFormatter()
  const { me } = useRoomActions()
  const { hasAttention, hold, ...attention } = useAttention(said.id)
  // The menu that led to the field goes with the tools, before it could say that it closes.
  useEffect(() => {
    if (isEditing) hold(false)
  }, [isEditing, hold])
  const marked = useMarkedName()
  const isMine = said.sender.id === me.id
  const name = said.sender.name ?? t("somebody")
  const time = format.dateTime(said.at, { timeStyle: "short", timeZone })
  const when = format.dateTime(said.at, { dateStyle: "full", timeStyle: "medium", timeZone })
  return (
    <article
      data-message={said.id}
      data-testid="message"
      data-state={said.state}
      tabIndex={isTabStop ? 0 : -1}
      aria-describedby={said.text !== "" && !said.isDeleted && !isEditing ? textIdOf(said.id) : undefined}
      aria-label={t("by", { name: isMine ? t("you") : marked(said.sender.id, name), time })}
      className={clsx(
        "-mx-2 relative flex gap-2.5 rounded-2xl px-2 -outline-offset-2 transition-colors duration-700",
        isMine && "flex-row-reverse",
        isFirst ? "pt-2" : "pt-0.5",
        isLast ? "pb-1" : "pb-0.5",
        isHighlighted && "bg-accent-soft",
      )}
      {...attention}
    >
      {!isMine && (isFirst ? <Avatar id={said.sender.id} name={name} /> : <span className="w-9 shrink-0" />)}
      <div
        className={clsx(
          // Beside it there is room for the tools, where the list is wide enough.
          "relative grid min-w-0 max-w-[min(85%,36rem)] gap-1 @xl:max-w-[min(85%,36rem,100%-12rem)]",
          isMine ? "justify-items-end" : "justify-items-start",
          isEditing && "w-full",
        )}
      >
        {isFirst && (
          <p className="names-in-line max-w-full items-baseline gap-2 px-1 text-xs">
            <span className={isMine ? "sr-only" : "truncate font-semibold"} dir="auto">
              {isMine ? t("you") : name}
            </span>
            {/* On paper it isn't told by its side alone. */}
            {isMine && <span className="hidden font-semibold print:inline">{name}</span>}
            {!isMine && <NameMark id={said.sender.id} />}
            {!isMine && <PresentName id={said.sender.id} name={name} />}
            <time dateTime={new Date(said.at).toISOString()} title={when} className="shrink-0 text-muted">
              {time}
            </time>
          </p>
        )}
        <Body said={said} replied={replied} isMine={isMine} isEditing={isEditing} />
        {said.reactions.length > 0 && <Reactions said={said} />}
        <Footer said={said} isMine={isMine} isLast={isLast} />
        {hasAttention && !isEditing && !said.isDeleted && said.seq !== null && (
          <MessageToolbar said={said} isMine={isMine} when={when} onHold={hold} />
        )}
      </div>
    </article>
  )
}

/** Longer than the list takes to notice that it has stood still. */
const scrollingMs = 500

function isOver(element: Element, { clientX, clientY }: { clientX: number; clientY: number }): boolean {
  const { left, right, top, bottom } = element.getBoundingClientRect()
  return left <= clientX && clientX < right && top <= clientY && clientY < bottom
}

/** Whether somebody points at it, has tapped it, came to it by the keyboard or has opened something of it, and did so last. */
function useAttention(id: string) {
  const attention = useContext(AttentionContext)
  const hasAttention = useSyncExternalStore(
    attention.subscribe,
    () => attention.id === id,
    () => false,
  )
  useEffect(() => () => attention.forget(id), [attention, id])
  const isMouse = (event: PointerEvent) => event.pointerType === "mouse"
  return {
    hasAttention,
    hold: useCallback(
      (isHeld: boolean) => {
        if (isHeld) return attention.give(id, "held")
        attention.take(id, "held")
        // What was open over it has gone from under the pointer, of which nothing tells: its next move says where it is.
        attention.take(id, "pointed")
      },
      [attention, id],
    ),
    // Not what it enters: under a mouse that rests, messages pass by while somebody goes through them by keyboard or wheel.
    onPointerMove(event: PointerEvent) {
      // React tells of its menu, too, which stands elsewhere on the page.
      const isHere = event.currentTarget.contains(event.target as Node)
      if (isMouse(event) && isHere) attention.give(id, "pointed")
    },
    onPointerLeave({ nativeEvent, currentTarget }: PointerEvent) {
      if (nativeEvent.pointerType !== "mouse") return
      const leave = () => attention.take(id, "pointed")
      // While it scrolls, as when its tools make room for themselves, the list hides its messages from the mouse.
      if (!isOver(currentTarget, nativeEvent)) leave()
      else setTimeout(() => !currentTarget.matches(":hover") && leave(), scrollingMs)
    },
    onFocus: () => attention.give(id, "focused"),
    onBlur: (event: FocusEvent<HTMLElement>) => {
      if (!event.currentTarget.contains(event.relatedTarget as Node | null)) attention.take(id, "focused")
    },
  }
}

interface BodyProps extends Pick<MessageProps, "said" | "replied" | "isEditing"> {
  isMine: boolean
}

function Body({ said, replied, isMine, isEditing }: BodyProps) {
  const t = useTranslations("messages")
  const { me, edit, keptEdit, keepEdit, saveEdit } = useRoomActions()
  if (said.isDeleted) {
    return (
      <p className="flex items-center gap-2 rounded-2xl border border-line border-dashed px-3.5 py-2 text-muted text-sm italic">
        <Ban size={14} aria-hidden="true" />
        {t("deleted")}
      </p>
    )
  }
  if (isEditing) {
    return (
      <EditField
        initial={said.text}
        kept={keptEdit(said)}
        onChange={(draft, base) => keepEdit({ id: said.id, base, ...draft })}
        onSave={(text, mentions) => saveEdit(said, text, mentions)}
        onCancel={() => edit(null)}
      />
    )
  }
  const isBare = !said.replyTo && said.state !== "refused" && isFewEmoji(said.text)
  return (
    <>
      {(said.text !== "" || said.replyTo) && (
        <div
          className={clsx(
            "w-fit max-w-full overflow-hidden rounded-2xl leading-relaxed",
            !isBare && "px-3.5 py-2",
            !isBare &&
              (isMine
                ? "bg-accent text-on-accent print:border print:border-line"
                : "border border-line bg-surface"),
            said.state === "refused" && "bg-bad-soft text-text",
          )}
        >
          {said.replyTo && (
            <Quote place={said.replyTo} said={replied} isOnAccent={isMine && said.state !== "refused"} />
          )}
          {said.text !== "" && (
            <div id={textIdOf(said.id)} data-testid="message-text">
              <RichText text={said.text} mentions={said.mentions} me={me} />
            </div>
          )}
        </div>
      )}
      {said.files.length > 0 && <FileList files={said.files} />}
    </>
  )
}

const icons = { queued: Clock, sending: LoaderCircle, failed: CircleAlert, refused: CircleAlert, sent: Check }

/** What of it is still on its way or was changed. That it has arrived is said once, below what was said in one go. */
function Footer({ said, isMine, isLast }: { said: Said; isMine: boolean; isLast: boolean }) {
  const t = useTranslations("messages")
  const { change, isDeleted, state } = said
  const isShown =
    change && change.state !== "sent" && (change.kind !== "reaction-set" || change.state === "refused")
  const delivery = isShown
    ? { ...change, subject: change.kind }
    : isMine && !isDeleted && (isLast || state !== "sent")
      ? { ...said, subject: "text-sent" as const }
      : null
  const isEdited = said.isEdited && !isDeleted
  if (!delivery && !isEdited) return null
  return (
    <div
      className={clsx("flex flex-wrap items-center gap-x-2 px-1 text-muted text-xs", isMine && "justify-end")}
    >
      {isEdited && <span>{t("edited")}</span>}
      {delivery && (
        <Delivery id={delivery.id} state={delivery.state} error={delivery.error} subject={delivery.subject} />
      )}
    </div>
  )
}

interface DeliveryProps {
  id: string
  state: PendingRoomMessage["state"]
  error?: PendingRoomMessage["error"]
  /** What was sent: the message itself, or a change of it. */
  subject: PendingRoomMessage["event"]
}

function Delivery({ id, state, error, subject }: DeliveryProps) {
  const t = useTranslations("messages")
  const errors = useTranslations("errors")
  const { retry, discard } = useRoomActions()
  const Icon = icons[state]
  if (state === "sent") return <Check size={13} role="img" aria-label={t("sent")} />
  if (state === "queued" || state === "sending") {
    return (
      <span className="flex items-center gap-1">
        <Icon size={12} aria-hidden="true" className={clsx(state === "sending" && "animate-spin")} />
        {t(state)}
        {state === "queued" && (
          <button
            type="button"
            // With a network it waits for a moment only, which is nothing to decide about.
            className="touchable -my-2 ml-1 min-h-8 print:hidden animate-[reveal_0.2s_1s_backwards] underline"
            onClick={() => discard(id)}
          >
            {t("discard")}
          </button>
        )}
      </span>
    )
  }
  return (
    <>
      <span className="flex items-start gap-1 text-bad">
        <Icon size={13} aria-hidden="true" className="mt-0.5 shrink-0" />
        {t(subject === "text-sent" || state === "failed" ? state : "notChanged")}
        {error && ` · ${errors(error.code)}`}
      </span>
      <span className="flex gap-2 print:hidden">
        <button type="button" className="touchable min-h-8 font-semibold underline" onClick={() => retry(id)}>
          {t("retry")}
        </button>
        <button type="button" className="touchable min-h-8 underline" onClick={() => discard(id)}>
          {t("discard")}
        </button>
      </span>
    </>
  )
}
