export { type GuestOptions, type Guests, guests } from "./guests.ts"
export type { ThroughlineOptions } from "./options.ts"
export { type Throughline, throughline } from "./throughline.ts"
