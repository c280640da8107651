/** A message's place, as an address names it: `seq` finds it where it isn't loaded yet. */
export interface MessagePlace {
  id: string
  seq: number
}

/** What of a room's address names one of its messages. */
export const messageParameter = "message"

const shape = /^(\d{1,15})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** The address of a room in which one message is shown, wherever it is in the history. */
export const messagePath = (roomId: string, { id, seq }: MessagePlace): string =>
  `/rooms/${encodeURIComponent(roomId)}?${messageParameter}=${seq}-${id}`

/** The message that an address names; null where it names none, or what no message could be called. */
export function messagePlaceIn(parameter: unknown): MessagePlace | null {
  const [, seq, id] = (typeof parameter === "string" && shape.exec(parameter)) || []
  return id === undefined || Number(seq) < 1 ? null : { id, seq: Number(seq) }
}
