import { randomUUID } from "node:crypto"
import type { LogEntry, MessageLog } from "../../log/message-log.ts"
import type { RealtimeMessage } from "../../message.ts"
import { alice, expect } from "../transport-contract/check.ts"

/** A store of a check's own and what plays with it. Disposing closes every log over it and removes it. */
export interface MessageLogStore extends AsyncDisposable {
  /** A log over it, opened. */
  readonly log: MessageLog
  /** Another log over the same store, as another process has it; also after the first one was closed. */
  reopen(): Promise<MessageLog>
  /** What every log over this store takes for the time. */
  readonly clock: { now: number }
}

/** What a check plays with. */
export interface MessageLogStage extends Omit<MessageLogStore, typeof Symbol.asyncDispose> {
  /** A log over another store. */
  openAnother(): Promise<MessageLog>
}

export type MessageLogCheck = (stage: MessageLogStage) => Promise<void>

/** Runs a check on stores of its own. */
export async function withMessageLog(
  open: () => Promise<MessageLogStore>,
  check: MessageLogCheck,
): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const openStore = async () => stack.use(await open())
  const store = await openStore()
  await check({
    log: store.log,
    clock: store.clock,
    reopen: () => store.reopen(),
    openAnother: async () => (await openStore()).log,
  })
}

export const room = "room:1"

export const entry = (channel: string = room, more: Partial<LogEntry> = {}): LogEntry => ({
  id: randomUUID(),
  channel,
  event: "said",
  payload: null,
  from: alice,
  ...more,
})

export const entries = (count: number, channel: string = room) =>
  Array.from({ length: count }, () => entry(channel))
export const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)
export const seqsOf = (messages: readonly { seq: number }[]) => messages.map(({ seq }) => seq)
export const idsOf = (messages: readonly { id: string }[]) => messages.map(({ id }) => id)

/** All that is kept of a channel, page by page. */
export async function readAll(log: MessageLog, channel: string = room): Promise<RealtimeMessage[]> {
  const messages: RealtimeMessage[] = []
  for (;;) {
    const after = messages.at(-1)?.seq ?? 0
    const page = await log.readAfter(channel, after, 200)
    if (page.messages.length === 0) return messages
    expect("a page past the one before", (page.messages[0]?.seq ?? 0) > after, true)
    messages.push(...page.messages)
  }
}

export async function headOf(log: MessageLog, channel: string = room) {
  const [head] = await log.heads([channel])
  return { seq: head?.seq, first: head?.first }
}

export async function reopenMany(stage: MessageLogStage, count: number): Promise<MessageLog[]> {
  const others = await Promise.all(Array.from({ length: count - 1 }, () => stage.reopen()))
  return [stage.log, ...others]
}
