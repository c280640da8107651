import { type Operation, permits } from "./capability.ts"
import { type ChannelName, parseChannelName } from "./channel-name.ts"
import { ablyError } from "./errors.ts"
import type { App, Credentials } from "./model.ts"
import type { Annotation, BaseMessage, Message } from "./protocol.ts"

/** Channels with a qualifier are views of others, or the service's own; nobody publishes there. */
export function publishableName(wireName: string): ChannelName {
  const name = parseChannelName(wireName)
  if (name.qualifier !== undefined || name.filter !== undefined) {
    throw ablyError(40010, "a qualified channel can't be published to")
  }
  return name
}

/** Any one of the operations will do. */
export function assertPermitted(
  credentials: Credentials,
  name: ChannelName,
  ...operations: Operation[]
): void {
  if (operations.some((operation) => permits(credentials.capability, name.base, operation))) return
  const wanted = operations.join(" or ")
  throw ablyError(40160, `the capability does not permit ${wanted} on ${JSON.stringify(name.base)}`)
}

/** However small messages have to be, so much of what isn't counted may come with them. */
const minUncounted = 1_024

/** §6.3: name, clientId, data and JSON of extras, all messages together. */
export function assertSize(app: App, messages: (BaseMessage & { name?: string })[]): void {
  refuseMoreThan(app.limits.maxMessageSize, messages, sizeOf)
  // The service doesn't count ids and the like; here they may be as much again, so that nothing is kept without a bound.
  refuseMoreThan(Math.max(app.limits.maxMessageSize, minUncounted), messages, uncountedOf)
}

function refuseMoreThan(
  limit: number,
  messages: readonly BaseMessage[],
  bytesOf: (message: BaseMessage) => number,
): void {
  const size = messages.reduce((total, message) => total + bytesOf(message), 0)
  if (size <= limit) return
  throw ablyError(40009, `maximum message length exceeded (was ${size} bytes, the limit is ${limit})`)
}

/** All that a message takes of the memory, as far as whoever publishes it decides. */
export const bytesOf = (message: BaseMessage): number => sizeOf(message) + uncountedOf(message)

function uncountedOf({ id = "", encoding = "", ...message }: BaseMessage): number {
  const { version, type = "" } = message as Pick<Message, "version"> & Partial<Pick<Annotation, "type">>
  return Buffer.byteLength(id + encoding + type + (version ? JSON.stringify(version) : ""))
}

export function sizeOf(message: BaseMessage & { name?: string }): number {
  const { data, extras, name = "", clientId = "" } = message
  const bytes = typeof data === "string" ? Buffer.byteLength(data) : (data?.byteLength ?? 0)
  const other = name + clientId + (extras ? JSON.stringify(extras) : "")
  return bytes + Buffer.byteLength(other)
}
