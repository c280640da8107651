import { v7 } from "uuid"

/**
 * An id for a message that is about to be sent (UUIDv7): with it, a retry is recognised as the same message.
 */
export const createMessageId = (): string => v7()
