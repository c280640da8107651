import Pusher from "pusher"
import type { RealtimePublisher } from "../../publisher.ts"
import { createPublisher, type PusherPublisherOptions } from "./publisher.ts"

/**
 * Server: triggers by Pusher's HTTP API and signs what browsers may join. Keeps no state between calls.
 * Throws `invalid-config` without the app's keys, or without where it is.
 */
export const createPusherPublisher = (options: PusherPublisherOptions): RealtimePublisher =>
  createPublisher(Pusher, options)

export type { PusherPublisherOptions }
