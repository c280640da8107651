import { Rest } from "ably"
import type { RealtimePublisher } from "../../publisher.ts"
import { type AblyPublisherOptions, createPublisher } from "./publisher.ts"

/** Server: publishes by Ably's REST API and signs what browsers may do. Keeps no state between calls. */
export const createAblyPublisher = (options: AblyPublisherOptions): RealtimePublisher =>
  createPublisher({ Rest }, options)

export type { AblyPublisherOptions }
