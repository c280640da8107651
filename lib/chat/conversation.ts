import type { ChannelMessage, PendingMessage } from "throughline/client"
import type { RoomDefinition, SharedFile } from "./channels.ts"

export type RoomMessage = ChannelMessage<RoomDefinition>
export type PendingRoomMessage = PendingMessage<RoomDefinition>
type EventMessage<E extends RoomMessage["event"]> = Extract<RoomMessage, { event: E }>
type Change = EventMessage<"message-edited" | "message-deleted" | "reaction-set">
/** What the server says by itself. */
export type SystemMessage = EventMessage<
  | "room-created"
  | "room-renamed"
  | "room-deleted"
  | "member-joined"
  | "member-left"
  | "member-put-out"
  | "member-removed"
  | "erased"
>

export interface Sender {
  id: string
  name: string | null
}

export interface Reaction {
  emoji: string
  /** In the order in which they reacted. */
  people: readonly Sender[]
}

/** A change of one's own that the log hasn't brought yet; it is shown as if it had. */
export interface PendingChange {
  id: string
  kind: Change["event"]
  state: PendingRoomMessage["state"]
  error?: PendingRoomMessage["error"]
}

/** What somebody said, as it is to be shown: with everything that happened to it since. */
export interface Said {
  kind: "said"
  id: string
  /** Null until the log has it. */
  seq: number | null
  at: number
  sender: Sender
  text: string
  mentions: readonly string[]
  files: readonly SharedFile[]
  replyTo: { id: string; seq: number } | null
  state: PendingRoomMessage["state"]
  error?: PendingRoomMessage["error"]
  isEdited: boolean
  isDeleted: boolean
  reactions: readonly Reaction[]
  change?: PendingChange
}

/** As much of it as a quote shows. */
export type Quoted = Pick<Said, "sender" | "text" | "files" | "isDeleted">

export interface Told {
  kind: "told"
  id: string
  seq: number
  at: number
  message: SystemMessage
}

export type ConversationItem = Said | Told

const untouched = { isEdited: false, isDeleted: false, reactions: [] } as const
const nobody: Sender = { id: "", name: null }

const senderOf = (from: RoomMessage["from"]): Sender =>
  from ? { id: from.id, name: from.name ?? null } : nobody

function react(reactions: readonly Reaction[], emoji: string, person: Sender, isOn: boolean): Reaction[] {
  const before = reactions.find((reaction) => reaction.emoji === emoji)?.people ?? []
  const others = before.filter(({ id }) => id !== person.id)
  const people = isOn ? (others.length < before.length ? before : [...others, person]) : others
  const changed = reactions.some((reaction) => reaction.emoji === emoji)
    ? reactions.map((reaction) => (reaction.emoji === emoji ? { emoji, people } : reaction))
    : [...reactions, { emoji, people }]
  return changed.filter(({ people }) => people.length > 0)
}

/**
 * What a change makes of what was said. The log's order decides: what is done to a deleted message comes too late. The server
 * let nobody change what isn't theirs; that only its sender edits a text is looked at here all the same.
 */
function change(said: Said, { event, payload }: Pick<Change, "event" | "payload">, by: Sender): Said {
  if (said.isDeleted) return said
  switch (event) {
    case "message-edited": {
      if (by.id !== said.sender.id || !("text" in payload)) return said
      return { ...said, text: payload.text, mentions: payload.mentions ?? [], isEdited: true }
    }
    case "message-deleted":
      return { ...said, text: "", mentions: [], files: [], reactions: [], isDeleted: true }
    case "reaction-set": {
      if (!("emoji" in payload)) return said
      return { ...said, reactions: react(said.reactions, payload.emoji, by, payload.isOn) }
    }
  }
}

const isChange = (message: RoomMessage): message is Change =>
  message.event === "message-edited" ||
  message.event === "message-deleted" ||
  message.event === "reaction-set"

export interface Conversation {
  /** Oldest first. What didn't change since the last call is the same object. */
  readonly items: readonly ConversationItem[]
  /** What was said under this id, if it is loaded. */
  find(id: string): Said | null
}

/**
 * A fold over a stretch of a room's log that reaches to its end, so that nothing that happened to a message in it is missing.
 * Messages that come at the end are added to what was folded before; any other change begins anew.
 */
export function createConversation(me: Sender) {
  let folded: readonly RoomMessage[] = []
  let items: ConversationItem[] = []
  let indexes = new Map<string, number>()

  function add(message: RoomMessage): void {
    const sender = senderOf(message.from)
    if (isChange(message)) {
      const index = indexes.get(message.payload.target)
      const said = index === undefined ? undefined : items[index]
      // Of a message that isn't loaded, or no longer kept: it is folded in when it is.
      if (index !== undefined && said?.kind === "said") items[index] = change(said, message, sender)
      return
    }
    const { id, seq, at } = message
    if (message.event === "text-sent") {
      const { text, mentions = [], files = [], replyTo = null } = message.payload
      indexes.set(id, items.length)
      items.push({
        ...{ kind: "said", id, seq, at, sender, text, mentions, files, replyTo, state: "sent" },
        ...untouched,
      })
    } else {
      items.push({ kind: "told", id, seq, at, message })
    }
  }

  /** Whether `messages` is what was folded, and more. */
  const continues = (messages: readonly RoomMessage[]) =>
    folded.length <= messages.length &&
    folded[0] === messages[0] &&
    folded.at(-1) === messages[folded.length - 1]

  /** One's own on their way, as if they had arrived, at the end. */
  function withPending(pending: readonly PendingRoomMessage[]): Conversation {
    const shown = [...items]
    const places = new Map<string, number>()
    const placeOf = (id: string) => indexes.get(id) ?? places.get(id)
    for (const { id, event, payload, at, state, error } of pending) {
      if (event === "text-sent" && payload && "text" in payload && !("target" in payload)) {
        const { text, mentions = [], files = [], replyTo = null } = payload
        places.set(id, shown.length)
        shown.push({
          ...{ kind: "said", id, seq: null, at, sender: me, text, mentions, files, replyTo, state },
          ...untouched,
          ...(error && { error }),
        })
      } else if (payload && "target" in payload) {
        const index = placeOf(payload.target)
        const said = index === undefined ? undefined : shown[index]
        if (index === undefined || said?.kind !== "said") continue
        const kind = event as Change["event"]
        const done = state === "refused" ? said : change(said, { event: kind, payload } as Change, me)
        shown[index] = { ...done, change: { id, kind, state, ...(error && { error }) } }
      }
    }
    return {
      items: shown,
      find(id) {
        const item = shown[placeOf(id) ?? -1]
        return item?.kind === "said" ? item : null
      },
    }
  }

  return function fold(
    messages: readonly RoomMessage[],
    pending: readonly PendingRoomMessage[],
  ): Conversation {
    if (!continues(messages)) {
      folded = []
      items = []
      indexes = new Map()
    }
    for (let index = folded.length; index < messages.length; index += 1) add(messages[index] as RoomMessage)
    folded = messages
    return withPending(pending)
  }
}
