import type { Room } from "#lib/chat/rooms.ts"

/** A room as the list of rooms shows it to somebody. */
export type ListedRoom = Room & { isMember: boolean }
