import { bare, bareOverRedis, classic, type Stack, throughline, throughlineOverRedis } from "./stacks.ts"

export type Metric =
  | "CPU per delivery"
  | "CPU per publish"
  | "deliveries per second"
  | "p50 of the answer"
  | "p50 of delivery"
  | "p99 of delivery"

export interface Scenario {
  name: string
  rooms: number
  subscribersPerRoom: number
  /**
   * Messages a second over all rooms, sent on time whatever comes back; absent:
   * as fast as they are acknowledged.
   */
  rate?: number
  /** Without a rate: how many messages wait for their acknowledgement at a time. */
  inFlight?: number
  /** More are in flight, if need be, until the server's process has no time left: see `saturate`. */
  isSaturated?: true
  messages: number
  ours: Stack
  control: Stack
  /** What is compared, and what the ratio of ours to the control has to keep. */
  targets: Partial<Record<Metric, string>>
}

/** The same load for us and for the control, in one run. `--scale 10` has 1,000 subscribers and 500 rooms. */
export function scenarios(scale: number): Scenario[] {
  const subscribers = 100 * scale
  const rooms = 50 * scale
  const single = { ours: throughline, control: bare }
  return [
    {
      ...{ name: `fan-out 1 → ${subscribers}, saturated`, ...single },
      ...{ rooms: 1, subscribersPerRoom: subscribers, inFlight: 100, messages: 3_000, isSaturated: true },
      targets: { "deliveries per second": ">= 11", "p99 of delivery": "<= 0.3" },
    },
    {
      ...{ name: `fan-out 1 → ${subscribers}, 20 messages/s`, ...single },
      ...{ rooms: 1, subscribersPerRoom: subscribers, rate: 20, messages: 200 },
      targets: { "CPU per delivery": "<= 0.8", "p99 of delivery": "<= 1.1" },
    },
    {
      ...{ name: `${rooms} rooms × 4, 2,000 messages/s`, ...single },
      ...{ rooms, subscribersPerRoom: 4, rate: 2_000, messages: 10_000 },
      targets: { "CPU per delivery": "<= 1" },
    },
    {
      ...{ name: `${rooms} rooms × 4, saturated`, ...single },
      ...{ rooms, subscribersPerRoom: 4, inFlight: 100, messages: 20_000, isSaturated: true },
      targets: { "deliveries per second": ">= 1" },
    },
    {
      // To everyone, a hundred messages a second are already more than one process can do.
      ...{ name: `${rooms} rooms × 4, against io.emit to everyone`, ours: throughline, control: classic },
      ...{ rooms, subscribersPerRoom: 4, inFlight: 100, messages: 1_000 },
      targets: { "CPU per publish": scale >= 10 ? "<= 0.025" : "<= 0.25" },
    },
    {
      ...{
        name: `two gateways, ${rooms} rooms × 4, 1,000 messages/s`,
        ours: throughlineOverRedis,
        control: bareOverRedis,
      },
      ...{ rooms, subscribersPerRoom: 4, rate: 1_000, messages: 6_000 },
      targets: { "CPU per delivery": "<= 0.6" },
    },
    {
      ...{
        name: `two gateways, fan-out 1 → ${subscribers}, saturated`,
        ours: throughlineOverRedis,
        control: bareOverRedis,
      },
      ...{ rooms: 1, subscribersPerRoom: subscribers, inFlight: 100, messages: 3_000, isSaturated: true },
      targets: { "deliveries per second": ">= 3" },
    },
  ]
}

/** A publish that nobody competes with; `one-to-one.ts` says what its answer may take. */
export const quiet = {
  ...{ name: "one to one, quiet", ours: throughline, control: bare },
  ...{ rooms: 1, subscribersPerRoom: 1, rate: 50, messages: 500, targets: {} },
} satisfies Scenario

/** How much more a delivery costs with many subscribers than with few. */
export function growth(subscribers: number): Scenario {
  return {
    ...{ name: `fan-out 1 → ${subscribers}`, ours: throughline, control: bare },
    ...{
      rooms: 1,
      subscribersPerRoom: subscribers,
      rate: 20,
      messages: Math.max(40, Math.ceil(40_000 / subscribers)),
    },
    targets: { "CPU per delivery": "<= 1.1" },
  }
}
