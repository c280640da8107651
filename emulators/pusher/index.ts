export type { App, TriggeredEvent } from "./app.ts"
export type { Channel } from "./channels.ts"
export { type Clock, createManualClock, type ManualClock, systemClock } from "./clock.ts"
export type { Connection, Socket } from "./connection.ts"
export {
  type ConnectedSocket,
  type ConnectRequest,
  createPusherEmulator,
  type PusherEmulator,
  type PusherEmulatorOptions,
} from "./emulator.ts"
export { type ErrorCode, errorMessages } from "./errors.ts"
export type { FaultControl } from "./fault-control.ts"
export type { ActiveFault, Fault, FaultEffect, FaultKind, FaultScope, FaultTrigger } from "./faults.ts"
export type { HttpOutcome, HttpRequest, HttpResponse } from "./http.ts"
export { defaultLimits, type PusherLimits } from "./limits.ts"
export {
  type PusherClientOptions,
  type PusherServer,
  type PusherServerLibraryOptions,
  type PusherServerOptions,
  startPusherEmulator,
} from "./server.ts"
export type { PusherAppSettings } from "./settings.ts"
export type {
  WebhookDelivery,
  WebhookEvent,
  WebhookEventName,
  WebhookSender,
  WebhookSettings,
} from "./webhooks.ts"
