export { createManualClock, type ManualClock } from "./clock.ts"
export type { AblyClientOptions, AblyEmulator, AblyEmulatorOptions } from "./server.ts"
export { startAblyEmulator } from "./server.ts"
