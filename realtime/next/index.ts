export { type GuestOptions, type Guests, guests } from "./guests.ts"
export { type Throughline, type ThroughlineOptions, throughline } from "./throughline.ts"
