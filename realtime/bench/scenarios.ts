import { bare, classic, type Stack } from "./stacks.ts"

export interface Scenario {
  name: string
  rooms: number
  subscribersPerRoom: number
  /** Messages a second over all rooms, sent on time whatever comes back; absent: as fast as they are acknowledged. */
  rate?: number
  /** Without a rate: how many messages wait for their acknowledgement at a time. */
  inFlight?: number
  messages: number
  control: Stack
  /** What is compared, and which way is good. */
  metric:
    | "CPU per delivery"
    | "CPU per publish"
    | "deliveries per second"
    | "p50 of publish to acknowledgement"
}

/** The same load for us and for the control, in one run. Small enough for a laptop; `--scale 10` for the real thing. */
export function scenarios(scale: number): Scenario[] {
  return [
    {
      name: `fan-out 1 → ${100 * scale}, 20 messages/s`,
      rooms: 1,
      subscribersPerRoom: 100 * scale,
      rate: 20,
      messages: 100,
      control: bare,
      metric: "CPU per delivery",
    },
    {
      name: `fan-out 1 → ${100 * scale}, saturated`,
      rooms: 1,
      subscribersPerRoom: 100 * scale,
      inFlight: 100,
      messages: 3_000,
      control: bare,
      metric: "deliveries per second",
    },
    {
      name: `${50 * scale} rooms × 4, saturated`,
      rooms: 50 * scale,
      subscribersPerRoom: 4,
      inFlight: 100,
      messages: 10_000,
      control: bare,
      metric: "deliveries per second",
    },
    {
      name: `${50 * scale} rooms × 4, against io.emit to everyone`,
      rooms: 50 * scale,
      subscribersPerRoom: 4,
      rate: 100,
      messages: 400,
      control: classic,
      metric: "CPU per publish",
    },
    {
      name: "one to one, quiet",
      rooms: 1,
      subscribersPerRoom: 1,
      rate: 50,
      messages: 250,
      control: bare,
      metric: "p50 of publish to acknowledgement",
    },
  ]
}
