import { randomUUID } from "node:crypto"
import type { JsonValue } from "../json.ts"
import { createMemoryLog } from "../log/memory.ts"
import type { AppendResult, LogEntry, MessageLog } from "../log/message-log.ts"
import type { SnapshotStore } from "../log/snapshot-store.ts"
import type { StateStore } from "../log/state-store.ts"
import type { LogHead, LogPage } from "../message.ts"
import type { Snapshot } from "../snapshot.ts"
import type { MessageLogPromise, MessageLogStore } from "./message-log-contract/index.ts"

interface BrokenLog {
  /** The promise that it breaks, by its check. */
  caughtBy: MessageLogPromise
  /** Spoils one log over a store; `shared` is what the spoiled logs over that store have in common. */
  spoil(
    log: MessageLog,
    store: { clock: MessageLogStore["clock"]; shared: Map<string, AppendResult> },
  ): MessageLog
}

/** Long enough for others to come between, as a network would let them. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 2))

function changeResults(
  log: MessageLog,
  change: (result: AppendResult, entry: LogEntry) => Partial<AppendResult>,
): MessageLog {
  return {
    ...log,
    async append(entries) {
      const results = await log.append(entries)
      return results.map((result, index) => ({ ...result, ...change(result, entries[index] as LogEntry) }))
    },
  }
}

function changePages(log: MessageLog, change: (page: LogPage, channel: string) => LogPage): MessageLog {
  return {
    ...log,
    readAfter: async (channel, seq, limit) => change(await log.readAfter(channel, seq, limit), channel),
    readBefore: async (channel, seq, limit) => change(await log.readBefore(channel, seq, limit), channel),
  }
}

function changeMessages(
  log: MessageLog,
  change: (message: LogPage["messages"][number]) => Partial<LogPage["messages"][number]>,
): MessageLog {
  return changePages(log, (page) => ({
    ...page,
    messages: page.messages.map((message) => ({ ...message, ...change(message) })),
  }))
}

/** The store of its state, changed. */
function changeState(log: MessageLog, change: (state: StateStore) => Partial<StateStore>): MessageLog {
  return { ...log, ...(log.state && { state: { ...log.state, ...change(log.state) } }) }
}

/** Its snapshots, changed. */
function changeSnapshots(
  log: MessageLog,
  change: (snapshots: SnapshotStore) => Partial<SnapshotStore>,
): MessageLog {
  const { snapshots } = log
  return { ...log, ...(snapshots && { snapshots: { ...snapshots, ...change(snapshots) } }) }
}

function changeHeads(log: MessageLog, change: (head: LogHead, channel: string) => LogHead): MessageLog {
  const changed = changePages(log, (page, channel) => ({ ...page, head: change(page.head, channel) }))
  return {
    ...changed,
    heads: async (channels) =>
      (await log.heads(channels)).map((head, index) => change(head, channels[index] as string)),
  }
}

function changeEpochs(log: MessageLog, change: (epoch: string, channel: string) => string): MessageLog {
  const heads = changeHeads(log, (head, channel) => ({ ...head, epoch: change(head.epoch, channel) }))
  const messages = changeMessages(heads, ({ epoch, channel }) => ({ epoch: change(epoch, channel) }))
  return changeResults(messages, ({ epoch }, { channel }) => ({ epoch: change(epoch, channel) }))
}

/** Keeps channels under another name and tells the one that was asked for. */
function changeNames(log: MessageLog, change: (channel: string) => string): MessageLog {
  return {
    ...log,
    append: (entries) => log.append(entries.map((entry) => ({ ...entry, channel: change(entry.channel) }))),
    heads: (channels) => log.heads(channels.map(change)),
    async readAfter(channel, seq, limit) {
      const page = await log.readAfter(change(channel), seq, limit)
      return { ...page, messages: page.messages.map((message) => ({ ...message, channel })) }
    },
    async readBefore(channel, seq, limit) {
      const { head, messages } = await log.readBefore(change(channel), seq, limit)
      return { head, messages: messages.map((message) => ({ ...message, channel })) }
    },
  }
}

function changePayloads(log: MessageLog, change: (json: string) => string): MessageLog {
  return changeMessages(log, ({ payload }) => ({ payload: JSON.parse(change(JSON.stringify(payload))) }))
}

function sortKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key] as JsonValue)]),
  )
}

/** Answers what `shared` holds under an entry's key as a duplicate, without asking the log. */
function answerKnown(
  log: MessageLog,
  shared: Map<string, AppendResult>,
  keyOf: (entry: LogEntry) => string,
): MessageLog {
  return {
    ...log,
    async append(entries) {
      const fresh = entries.filter((entry) => !shared.has(keyOf(entry)))
      const results = await log.append(fresh)
      fresh.forEach((entry, index) => {
        shared.set(keyOf(entry), results[index] as AppendResult)
      })
      return entries.map((entry) => {
        const known = shared.get(keyOf(entry)) as AppendResult
        return { ...known, isDuplicate: !fresh.includes(entry) || known.isDuplicate }
      })
    },
  }
}

let instances = 0

/** Logs with one fault each, as real ones have had them. The contract has to catch every one. */
export const brokenLogs: Record<string, BrokenLog> = {
  "numbers over all channels": {
    caughtBy: "numbers each channel's messages from 1, in the order of the group",
    spoil: (log) => {
      let count = 0
      return changeResults(log, () => {
        count += 1
        return { seq: count }
      })
    },
  },
  "answers channel by channel": {
    caughtBy: "numbers each channel's messages from 1, in the order of the group",
    spoil: (log) => ({
      ...log,
      append: (entries) =>
        log.append(entries.toSorted((left, right) => left.channel.localeCompare(right.channel))),
    }),
  },
  "hands out what it holds": {
    caughtBy: "gives back what was appended, and nothing of it can be changed from outside",
    spoil: (log) => {
      const held = new Map<string, JsonValue>()
      const holding = changeMessages(log, ({ id }) => ({ payload: held.get(id) }))
      return {
        ...holding,
        append(entries) {
          for (const { id, payload } of entries) held.set(id, payload)
          return log.append(entries)
        },
      }
    },
  },
  "forgets who sent it": {
    caughtBy: "gives back what was appended, and nothing of it can be changed from outside",
    spoil: (log) => changeMessages(log, () => ({ from: null })),
  },
  "takes at most 500 in a group": {
    caughtBy: "accepts a group of nothing, and one of a thousand",
    spoil: (log) => ({ ...log, append: (entries) => log.append(entries.slice(0, 500)) }),
  },
  "numbers by the head as it was before it waited": {
    caughtBy: "stays without holes under many writers at once, of several processes",
    spoil: (log) => ({
      ...log,
      async append(entries) {
        const channels = entries.map(({ channel }) => channel)
        const before = await log.heads(channels)
        await pause()
        const results = await log.append(entries)
        return results.map((result, index) => {
          const earlier = channels.slice(0, index).filter((channel) => channel === channels[index]).length
          return { ...result, seq: (before[index]?.seq ?? 0) + earlier + 1 }
        })
      },
    }),
  },
  "answers a duplicate with its own sender": {
    caughtBy: "answers an id that the channel holds with the first one's result",
    spoil: (log) => changeResults(log, (_, { from }) => ({ from })),
  },
  "answers a duplicate as new": {
    caughtBy: "answers an id that the channel holds with the first one's result",
    spoil: (log) => changeResults(log, () => ({ isDuplicate: false })),
  },
  "appends a duplicate again": {
    caughtBy: "answers an id that the channel holds with the first one's result",
    spoil: (log) => ({
      ...log,
      append: (entries) => log.append(entries.map((entry) => ({ ...entry, id: randomUUID() }))),
    }),
  },
  "looks for duplicates before the group only": {
    caughtBy: "answers an id that comes twice in one group once",
    spoil: (log) => ({
      ...log,
      append(entries) {
        const seen = new Set<string>()
        return log.append(
          entries.map((entry) => {
            const id = seen.has(entry.id) ? randomUUID() : entry.id
            seen.add(id)
            return { ...entry, id }
          }),
        )
      },
    }),
  },
  "knows the ids of its own process only": {
    caughtBy: "answers groups with the same ids at once as one: the other is told duplicates",
    spoil: (log) => {
      instances += 1
      const mark = `#${instances}`
      const unmarked = ({ id }: { id: string }) => ({ id: id.replace(/#\d+$/, "") })
      const marking: MessageLog = {
        ...log,
        append: (entries) => log.append(entries.map((entry) => ({ ...entry, id: entry.id + mark }))),
      }
      return changeMessages(changeResults(marking, unmarked), unmarked)
    },
  },
  "takes ids for unique in the whole log": {
    caughtBy: "takes an id for another one in another channel, and by every letter",
    spoil: (log, { shared }) => answerKnown(log, shared, ({ id }) => id),
  },
  "compares ids without their case": {
    caughtBy: "takes an id for another one in another channel, and by every letter",
    spoil: (log, { shared }) =>
      answerKnown(log, shared, ({ id, channel }) => `${channel} ${id.toLowerCase()}`),
  },
  "appends entry by entry": {
    caughtBy: "keeps all of a group or nothing of it",
    spoil: (log) => ({
      ...log,
      async append(entries) {
        const results: AppendResult[] = []
        for (const entry of entries) results.push(...(await log.append([entry])))
        return results
      },
    }),
  },
  "stamps by the clock as it is": {
    caughtBy: "stamps messages by its clock, which never goes back within a channel",
    spoil: (log, { clock }) => changeResults(log, () => ({ at: clock.now })),
  },
  "has an epoch for each channel": {
    caughtBy: "has one epoch for all channels, as long as the store lives",
    spoil: (log) => changeEpochs(log, (epoch, channel) => `${epoch} ${channel}`),
  },
  "has a new epoch when it is opened again": {
    caughtBy: "has one epoch for all channels, as long as the store lives",
    spoil: (log) => {
      const epoch = randomUUID()
      return changeEpochs(log, () => epoch)
    },
  },
  "has the same epoch everywhere": {
    caughtBy: "has another epoch than another store",
    spoil: (log) => changeEpochs(log, () => "00000000-0000-0000-0000-000000000000"),
  },
  "keeps messages in its process": {
    caughtBy: "keeps what it accepted when it is opened again",
    spoil: (_, { clock }) => createMemoryLog({ now: () => clock.now }),
  },
  "says nothing of the position after which it reads": {
    caughtBy: "tells by a mark which message stands at a position",
    spoil: (log) => ({
      ...log,
      async readAfter(channel, seq, limit) {
        const { mark: _, ...page } = await log.readAfter(channel, seq, limit)
        return page
      },
    }),
  },
  "tells the newest message by its id alone": {
    caughtBy: "tells by a mark which message stands at a position",
    spoil: (log) =>
      changeHeads(log, ({ mark, ...head }) =>
        mark ? { ...head, mark: mark.split("@")[0] as string } : head,
      ),
  },
  "answers with as many bytes as there are": {
    caughtBy: "reads no more bytes at once than a page may have",
    spoil: (log) => {
      async function more(page: LogPage, next: (page: LogPage) => Promise<LogPage>): Promise<LogPage> {
        const { messages } = page.messages.length > 0 ? await next(page) : page
        const all = [...page.messages, ...messages].toSorted((a, b) => a.seq - b.seq)
        return messages.length > 0 ? more({ ...page, messages: all }, next) : page
      }
      return {
        ...log,
        async readAfter(channel, seq, limit) {
          const rest = ({ messages }: LogPage) =>
            log.readAfter(channel, messages.at(-1)?.seq ?? seq, limit - messages.length)
          return more(await log.readAfter(channel, seq, limit), rest)
        },
      }
    },
  },
  "includes the position after which it reads": {
    caughtBy: "reads after a position, oldest first, within the limit",
    spoil: (log) => ({
      ...log,
      readAfter: (channel, seq, limit) => log.readAfter(channel, Math.max(0, seq - 1), limit),
    }),
  },
  "reads the newest instead of the next": {
    caughtBy: "reads after a position, oldest first, within the limit",
    spoil: (log) => ({
      ...log,
      async readAfter(channel, seq, limit) {
        const { head, messages } = await log.readBefore(channel, null, limit)
        return { head, messages: messages.filter((message) => message.seq > seq) }
      },
    }),
  },
  "includes the position before which it reads": {
    caughtBy: "reads before a position, oldest first, within the limit",
    spoil: (log) => ({
      ...log,
      readBefore: (channel, seq, limit) => log.readBefore(channel, seq === null ? null : seq + 1, limit),
    }),
  },
  "reads the newest first": {
    caughtBy: "reads before a position, oldest first, within the limit",
    spoil: (log) => ({
      ...log,
      async readBefore(channel, seq, limit) {
        const { head, messages } = await log.readBefore(channel, seq, limit)
        return { head, messages: messages.reverse() }
      },
    }),
  },
  "takes a limit of 0 for none": {
    caughtBy: "reads no message with a limit of 0, and the head all the same",
    spoil: (log) => ({
      ...log,
      readAfter: (channel, seq, limit) => log.readAfter(channel, seq, limit || 1_000),
    }),
  },
  "looks for the head after it read the page": {
    caughtBy: "hands out each page with the head of that moment",
    spoil: (log) => ({
      ...log,
      async readBefore(channel, seq, limit) {
        const { messages } = await log.readBefore(channel, seq, limit)
        await pause()
        const [head] = await log.heads([channel])
        return { head: head as LogHead, messages }
      },
      async append(entries) {
        await pause()
        return log.append(entries)
      },
    }),
  },
  "tells each head once": {
    caughtBy: "tells the heads of many channels, in their order, known or not",
    spoil: (log) => ({ ...log, heads: (channels) => log.heads([...new Set(channels)]) }),
  },
  "tells heads in the order of the names": {
    caughtBy: "tells the heads of many channels, in their order, known or not",
    spoil: (log) => ({ ...log, heads: (channels) => log.heads(channels.toSorted()) }),
  },
  "takes channel names without their case": {
    caughtBy: "keeps channels apart by every letter of their names",
    spoil: (log) => changeNames(log, (channel) => channel.toLowerCase()),
  },
  "normalises channel names": {
    caughtBy: "keeps channels apart by every letter of their names",
    spoil: (log) => changeNames(log, (channel) => channel.normalize("NFC")),
  },
  "cuts channel names": {
    caughtBy: "keeps channels apart by every letter of their names",
    spoil: (log) => changeNames(log, (channel) => channel.slice(0, 511)),
  },
  "takes off the spaces around a channel name": {
    caughtBy: "keeps channels apart by every letter of their names",
    spoil: (log) => changeNames(log, (channel) => channel.trim()),
  },
  "cuts channel names at NUL": {
    caughtBy: "holds nothing under a name that no store keeps, and answers for the others beside it",
    spoil: (log) => changeNames(log, (channel) => channel.replace(/\0.*/s, "")),
  },
  "replaces half a character in channel names": {
    caughtBy: "holds nothing under a name that no store keeps, and answers for the others beside it",
    spoil: (log) => changeNames(log, (channel) => channel.toWellFormed()),
  },
  "sorts the keys of a payload": {
    caughtBy: "gives back every payload as JSON says it",
    spoil: (log) => changePayloads(log, (json) => JSON.stringify(sortKeys(JSON.parse(json) as JsonValue))),
  },
  "loses NUL": {
    caughtBy: "gives back every payload as JSON says it",
    spoil: (log) => changePayloads(log, (json) => json.replaceAll("\\u0000", "")),
  },
  "loses lone surrogates": {
    caughtBy: "gives back every payload as JSON says it",
    spoil: (log) => changePayloads(log, (json) => json.replace(/\\ud[89a-f]../g, "\ufffd")),
  },
  "keeps a sender's id alone": {
    caughtBy: "gives back events and senders of every alphabet",
    spoil: (log) => changeMessages(log, ({ from }) => ({ from: from && { id: from.id } })),
  },
  "keeps ASCII of an event's name": {
    caughtBy: "gives back events and senders of every alphabet",
    spoil: (log) => changeMessages(log, ({ event }) => ({ event: event.replace(/[^ -~]/g, "?") })),
  },
  "erases whoever is mentioned": {
    caughtBy: "erases what one person sent, in every channel, and leaves no hole",
    spoil: (log) => ({
      ...log,
      erase: async (userId) => (await log.erase(userId)) + (await log.erase("mallory")),
    }),
  },
  "keeps its epoch to itself": {
    caughtBy: "begins another life with what it holds, for all who have it open",
    spoil: (log) => ({ ...log, renew: async () => randomUUID() }),
  },
  "trims a little early": {
    caughtBy: "trims by age: what is older than allowed goes",
    spoil: (log) => ({
      ...log,
      trim: ({ maxAgeMs, ...rest }) =>
        log.trim({ ...rest, maxAgeMs: maxAgeMs === undefined ? undefined : maxAgeMs - 1 }),
    }),
  },
  "trims every channel, whichever are named": {
    caughtBy: "trims the named channels alone, one of which may not be there",
    spoil: (log) => ({ ...log, trim: ({ channels: _, ...rest }) => log.trim(rest) }),
  },
  "never trims": {
    caughtBy: "trims by age: what is older than allowed goes",
    spoil: (log) => ({ ...log, trim: async () => 0 }),
  },
  "keeps one more of each channel": {
    caughtBy: "trims by count: the newest of each channel stay",
    spoil: (log) => ({
      ...log,
      trim: ({ maxAgeMs, maxMessagesPerChannel = 1_000_000 }) =>
        log.trim({ maxAgeMs, maxMessagesPerChannel: maxMessagesPerChannel + 1 }),
    }),
  },
  "trims by age alone when it has both": {
    caughtBy: "trims by age and count together: what either removes goes",
    spoil: (log) => ({
      ...log,
      trim: ({ maxAgeMs, maxMessagesPerChannel }) =>
        log.trim(maxAgeMs === undefined ? { maxMessagesPerChannel } : { maxAgeMs }),
    }),
  },
  "counts one step of trimming": {
    caughtBy: "trims more than one step's worth, in one channel and in many",
    spoil: (log) => ({ ...log, trim: async (retention) => Math.min(1_000, await log.trim(retention)) }),
  },
  "tells its head by what it keeps": {
    caughtBy: "never lets a head go back, also when all was trimmed",
    spoil: (log) =>
      changeHeads(log, (head) => (head.first > head.seq ? { epoch: head.epoch, seq: 0, first: 1 } : head)),
  },
  "never forgets an id": {
    caughtBy: "knows the ids of what it keeps, and forgets those of what it trimmed",
    spoil: (log, { shared }) => answerKnown(log, shared, ({ id, channel }) => `${channel} ${id}`),
  },
  "counts what another one trims as its own": {
    caughtBy: "trims while others append and trim",
    spoil: (log) => ({
      ...log,
      async trim(retention) {
        const before = await log.heads(["a", "b"])
        await pause()
        await log.trim(retention)
        const after = await log.heads(["a", "b"])
        return after.reduce((sum, { first }, index) => sum + first - (before[index]?.first ?? 0), 0)
      },
    }),
  },
  "gives a state all keys, whichever were asked for": {
    caughtBy: "keeps the newest value of each key, with its version among all of its channel",
    spoil: (log) => changeState(log, (state) => ({ read: (channel) => state.read(channel) })),
  },
  "keeps a deleted key as null": {
    caughtBy: "deletes a key, and a version never comes back",
    spoil: (log) =>
      changeState(log, (state) => ({
        write: (entries, limits) =>
          state.write(
            entries.map((entry) => ({ ...entry, value: entry.value ?? "null" })),
            limits,
          ),
      })),
  },
  "refuses a whole group for one key too many": {
    caughtBy: "refuses a key that is one too many, and it alone",
    spoil: (log) =>
      changeState(log, (state) => ({
        async write(entries, limits) {
          const results = await state.write(entries, limits)
          return results.some((result) => "refused" in result)
            ? results.map(() => ({ refused: "full" }))
            : results
        },
      })),
  },
  "writes onto whatever version there is": {
    caughtBy: "writes onto a version that is named, or not at all",
    spoil: (log) =>
      changeState(log, (state) => ({
        write: (entries, limits) =>
          state.write(
            entries.map(({ ifVersion: _, ...entry }) => entry),
            limits,
          ),
      })),
  },
  "tells all of a group one version": {
    caughtBy: "gives each version once under many writers at once, of several processes",
    spoil: (log) =>
      changeState(log, (state) => ({
        async write(entries, limits) {
          const results = await state.write(entries, limits)
          return results.map((_, index) => results[index - (index % 2)] as (typeof results)[number])
        },
      })),
  },
  "writes what it can of a group of values": {
    caughtBy: "keeps all of a group of values or nothing of it",
    spoil: (log) =>
      changeState(log, (state) => ({
        async write(entries, limits) {
          const [first, ...others] = entries
          const results = first ? await state.write([first], limits) : []
          return [...results, ...(await state.write(others, limits))]
        },
      })),
  },
  "begins another life without its values": {
    caughtBy: "counts the values to the life of the log",
    spoil(log) {
      let isRenewed = false
      return {
        ...changeState(log, (state) => ({
          read: async (channel, keys) => ({ ...(await state.read(channel, isRenewed ? [] : keys)) }),
        })),
        renew() {
          isRenewed = true
          return log.renew()
        },
      }
    },
  },
  "hands out the newest snapshot, whichever was asked for": {
    caughtBy: "keeps a snapshot and the one before it, byte by byte",
    spoil: (log) => changeSnapshots(log, (snapshots) => ({ read: (channel) => snapshots.read(channel) })),
  },
  "writes a snapshot onto whichever there is": {
    caughtBy: "writes a snapshot onto the one that is named, or not at all, and says what is there",
    spoil: (log) =>
      changeSnapshots(log, (snapshots) => ({
        async write(channel, snapshot) {
          const { snapshot: newest } = await snapshots.read(channel)
          return snapshots.write(channel, { ...snapshot, ifUpTo: newest?.upTo ?? 0 })
        },
      })),
  },
  "tells all who write a snapshot that theirs is written": {
    caughtBy: "takes one of many snapshots that are written at once, by several processes",
    spoil: (log) =>
      changeSnapshots(log, (snapshots) => ({
        async write(channel, snapshot) {
          const { snapshot: newest } = await snapshots.read(channel)
          const isFirst = (newest?.upTo ?? 0) === snapshot.ifUpTo
          await pause()
          const written = await snapshots.write(channel, snapshot)
          return { ...written, isWritten: written.isWritten || (isFirst && snapshot.upTo <= written.seq) }
        },
      })),
  },
  "trims as if there were no snapshot": {
    caughtBy: "trims nothing that follows a snapshot, and leaves what a reader a little behind it needs",
    spoil(log) {
      const kept = new Map<string, Snapshot[]>()
      return changeSnapshots(log, () => ({
        async write(channel, { epoch, upTo, bytes }) {
          kept.set(channel, [{ upTo, bytes }, ...(kept.get(channel) ?? [])].slice(0, 2))
          return { isWritten: true, epoch, upTo, seq: upTo }
        },
        async read(channel, before = Number.POSITIVE_INFINITY) {
          const snapshot = kept.get(channel)?.find(({ upTo }) => upTo < before) ?? null
          return { epoch: "", snapshot }
        },
      }))
    },
  },
  "takes a snapshot for permission to trim": {
    caughtBy: "trims less than a snapshot covers where retention says less",
    spoil: (log) => ({ ...log, trim: (retention) => log.trim({ covered: true, ...retention }) }),
  },
  "removes nothing because a snapshot covers it": {
    caughtBy: "removes what snapshots cover when it is asked to, and of other channels nothing",
    spoil: (log) => ({ ...log, trim: ({ covered: _, ...rest }) => log.trim(rest) }),
  },
  "keeps the snapshots of a channel that ended": {
    caughtBy: "ends a channel with its snapshots, which may begin anew",
    spoil: (log) => ({
      ...log,
      trim: ({ maxMessagesPerChannel, ...rest }) =>
        log.trim({ ...rest, maxMessagesPerChannel: maxMessagesPerChannel || 1 }),
    }),
  },
  "takes a snapshot of the life before": {
    caughtBy: "counts the snapshots to the life of the log",
    spoil: (log) =>
      changeSnapshots(log, (snapshots) => ({
        async write(channel, snapshot) {
          const { epoch } = await snapshots.read(channel)
          return snapshots.write(channel, snapshot.epoch === "another" ? snapshot : { ...snapshot, epoch })
        },
      })),
  },
  "closes over what is under way": {
    caughtBy: "closes once what is under way is done",
    spoil: (log) => ({
      ...log,
      async append(entries) {
        await pause()
        return log.append(entries)
      },
    }),
  },
  "goes on after it was closed": {
    caughtBy: "refuses every call after it was closed",
    spoil: (log) => ({ ...log, close: async () => {} }),
  },
}
