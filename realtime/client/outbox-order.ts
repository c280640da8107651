/**
 * The order in which a page wrote, which is that in which it sends. What is stored has its position among all
 * that ever were; what couldn't be has none, and what the page wrote later goes behind it.
 */
export interface OutboxOrder {
  /** Whether something of the channel waits for its turn. */
  isWaiting(channel: string): boolean
  /** Runs when all that was written before has been stored, or not, and this as well. */
  after(channel: string, stored: Promise<unknown> | undefined, task: () => void): void
  /** The position to go by, behind all that had their turn before. */
  place(position?: number): number
}

export function createOutboxOrder(): OutboxOrder {
  let last = 0
  /** Ends when all that was written until now has been stored, or not. */
  let storing: Promise<unknown> = Promise.resolve()
  /** The last of each channel that waits for that. */
  const turns = new Map<string, unknown>()
  return {
    isWaiting: (channel) => turns.has(channel),
    after(channel, stored, task) {
      const turn = Promise.all([storing, stored]).then(() => {
        if (turns.get(channel) === turn) turns.delete(channel)
        task()
      })
      storing = turn
      turns.set(channel, turn)
    },
    place(position = last) {
      last = Math.max(last, position)
      return last
    },
  }
}
