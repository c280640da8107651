import { describe, it } from "vitest"
import { type ContractBackend, transportChecks, withStage } from "./transport-contract/index.ts"

/** A provider, and how to start what it runs on. */
export interface TransportContract {
  /** As it stands in the report: the provider and what it runs on. */
  name: string
  /** A running backend of its own for each check. */
  start(): Promise<ContractBackend>
}

/** Runs the whole contract over one provider. A provider is complete once it passes. */
export function describeTransportContract({ name, start }: TransportContract): void {
  for (const [suite, checks] of Map.groupBy(transportChecks, (check) => check.suite)) {
    describe(`${suite} contract (${name})`, () => {
      for (const check of checks) it(check.name, () => withStage(start, check.run))
    })
  }
}
