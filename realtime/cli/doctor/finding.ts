import type { Facts } from "./facts.ts"

/** One fault, and what to do about it. */
export interface Finding {
  /** The check that found it: a name that stays, for programs. */
  check: string
  verdict: "failed" | "warning"
  /** The file, the variable or the package that it is about. */
  subject: string
  /** What was seen; never a secret. */
  detail: string
  advice: string
}

/** What a check finds; `failed` where it doesn't say otherwise. */
export type Fault = Omit<Finding, "check" | "verdict"> & { verdict?: Finding["verdict"] }

/** Pure: whatever it goes by is among the facts. */
export type Check = (facts: Facts) => Fault[]
