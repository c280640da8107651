import { assertMayPublishAs } from "./auth.ts"
import { ablyError } from "./errors.ts"
import type { Publisher } from "./model.ts"
import { Action, type Annotation, AnnotationAction, type Message, MessageAction } from "./protocol.ts"
import { assertPermitted, assertSize, publishableName } from "./publisher.ts"
import { messageSerial } from "./serials.ts"

const METHODS = ["total.v1", "flag.v1", "distinct.v1", "unique.v1", "multiple.v1"] as const
type Method = (typeof METHODS)[number]

/**
 * ably/README.md §6.5: stores annotations, tells ANNOTATION_SUBSCRIBE attachments, and everyone else by a new summary, unless
 * their types have no method to sum them up by.
 */
export function annotate(publisher: Publisher, wireName: string, annotations: Annotation[]): string[] {
  const { app } = publisher
  const name = publishableName(wireName)
  assertPermitted(publisher.credentials, name, "annotation-publish")
  const channel = app.channel(name)
  if (!channel.rules.mutableMessages) throw ablyError(93002)
  if (annotations.length === 0) throw ablyError(40000, "there is no annotation to publish")
  for (const annotation of annotations) assertValid(publisher, annotation)
  assertSize(app, annotations)
  const targets = annotations.map((annotation) => {
    const target = channel.messages.find(annotation.messageSerial)
    if (!target) throw ablyError(40400, "no message with that serial")
    return target
  })
  if (app.overQuota) throw ablyError(40112, undefined, 429)

  const channelSerial = channel.serials.next()
  const timestamp = app.clock.now()
  const { connectionId } = publisher
  const stored = annotations.map((annotation, index) => ({
    ...annotation,
    connectionId,
    clientId: publisher.clientId,
    id: annotation.id ?? `${publisher.frameId}:${index}`,
    serial: messageSerial(channelSerial, index),
    timestamp,
  }))
  channel.broadcast({
    action: Action.ANNOTATION,
    id: publisher.frameId,
    channel: name.base,
    channelSerial,
    timestamp,
    annotations: stored,
    connectionId,
  })

  for (const [index, annotation] of stored.entries()) {
    const target = targets[index]
    if (!target) continue
    target.annotations.push(annotation)
    channel.messages.grew(target, annotation)
  }
  const summedUp = targets.filter((_, index) => methodOf(stored[index]?.type ?? ""))
  for (const target of new Set(summedUp)) {
    const summary = summarize(target.annotations)
    target.latest = { ...target.latest, annotations: { summary } }
    const { name: event, serial, version } = target.latest
    const message: Message = {
      name: event,
      serial,
      version,
      action: MessageAction.summary,
      timestamp: target.timestamp,
      annotations: { summary },
    }
    channel.broadcast({
      action: Action.MESSAGE,
      id: `${app.random.string(10)}:0`,
      channel: name.base,
      channelSerial: channel.serials.next(),
      timestamp,
      messages: [message],
    })
  }
  return stored.map((annotation) => annotation.serial)
}

function assertValid(publisher: Publisher, annotation: Annotation) {
  const method = methodOf(annotation.type)
  const isKnown = method !== undefined || !VERSIONED.test(annotation.type)
  if (!TYPE.test(annotation.type) || !isKnown)
    throw ablyError(40003, `invalid annotation type ${JSON.stringify(annotation.type)}`)
  const actions: number[] = Object.values(AnnotationAction)
  if (!actions.includes(annotation.action)) throw ablyError(40003, "an annotation's action is 0 or 1")
  if (!annotation.messageSerial) throw ablyError(40003, "an annotation names its message's serial")
  assertMayPublishAs(publisher.credentials, publisher.clientId, annotation.clientId)
  const needsName = method === "distinct.v1" || method === "unique.v1" || method === "multiple.v1"
  if (needsName && !annotation.name) throw ablyError(40003, `${method} annotations have a name`)
  const needsClient = method === "flag.v1" || method === "distinct.v1" || method === "unique.v1"
  if (needsClient && publisher.clientId === undefined && annotation.clientId === undefined)
    throw ablyError(40161)
}

/** A namespace, then perhaps a method, which ends in its version. */
const TYPE = /^[^:]+(:[^:]+)*$/
const VERSIONED = /:([^:]+\.v\d+)$/

function methodOf(type: string): Method | undefined {
  const method = VERSIONED.exec(type)?.[1]
  return METHODS.find((known) => known === method)
}

/** §6.5: one entry per type with a method, folded from its annotations in order. */
export function summarize(annotations: Annotation[]): Record<string, unknown> {
  const types = [...new Set(annotations.map((annotation) => annotation.type))].filter(methodOf)
  return Object.fromEntries(
    types.map((type) => [
      type,
      summarizeType(
        type,
        annotations.filter((one) => one.type === type),
      ),
    ]),
  )
}

function summarizeType(type: string, annotations: Annotation[]): unknown {
  switch (methodOf(type)) {
    case "total.v1":
      return { total: annotations.reduce((total, { action }) => Math.max(0, total + (action ? -1 : 1)), 0) }
    case "flag.v1":
      return clientList(clientsOf(annotations))
    case "distinct.v1":
      return byName(annotations, (named) => clientList(clientsOf(named)))
    case "unique.v1":
      return byName(lastPerClient(annotations), (named) => clientList(clientsOf(named)))
    default:
      return byName(annotations, countsOf)
  }
}

function byName<T extends { total: number }>(
  annotations: Annotation[],
  summary: (named: Annotation[]) => T,
): Record<string, T> {
  const names = [...new Set(annotations.map(({ name }) => name ?? ""))]
  const entries = names.map(
    (name) => [name, summary(annotations.filter((annotation) => (annotation.name ?? "") === name))] as const,
  )
  return Object.fromEntries(entries.filter(([, { total }]) => total > 0))
}

function clientsOf(annotations: Annotation[]): Set<string> {
  const clients = new Set<string>()
  for (const { clientId = "", action } of annotations) {
    if (action === AnnotationAction.delete) clients.delete(clientId)
    else clients.add(clientId)
  }
  return clients
}

function clientList(clients: Set<string>) {
  return { total: clients.size, clientIds: [...clients], clipped: false }
}

/** `unique`: a client's newest name replaces its former one. */
function lastPerClient(annotations: Annotation[]): Annotation[] {
  const last = new Map<string, Annotation>()
  for (const annotation of annotations) {
    const client = annotation.clientId ?? ""
    const current = last.get(client)
    if (annotation.action === AnnotationAction.create) last.set(client, annotation)
    else if (current?.name === annotation.name) last.delete(client)
  }
  return [...last.values()]
}

/** `multiple`: a client may count several times; a delete takes back all that the client counted under this name. */
function countsOf(annotations: Annotation[]) {
  const clientIds: Record<string, number> = Object.create(null)
  let totalUnidentified = 0
  for (const { clientId, action, count = 1 } of annotations) {
    if (clientId === undefined) {
      if (action === AnnotationAction.create) totalUnidentified += count
    } else if (action === AnnotationAction.delete) {
      delete clientIds[clientId]
    } else {
      clientIds[clientId] = (clientIds[clientId] ?? 0) + count
    }
  }
  const counts = Object.values(clientIds)
  const total = counts.reduce((sum, count) => sum + count, totalUnidentified)
  return { total, clientIds, totalUnidentified, totalClientIds: counts.length, clipped: false }
}
