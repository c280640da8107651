import { accessChecks } from "./access.ts"
import type { ContractCheck } from "./check.ts"
import { connectionChecks } from "./connection.ts"
import { deliveryChecks, orderChecks } from "./delivery.ts"
import { errorChecks } from "./errors.ts"
import { lifecycleChecks } from "./lifecycle.ts"
import { presenceChecks } from "./presence.ts"
import { reconnectChecks } from "./reconnect.ts"
import { revocationChecks } from "./revocation.ts"
import { signalChecks } from "./signals.ts"
import { snapshotChecks } from "./snapshot.ts"
import { stateChecks } from "./state.ts"

export {
  type ContractBackend,
  type ContractRealtime,
  contractChannels,
  createContractHttp,
  createContractRealtime,
} from "./backend.ts"
export { type ContractCheck, type Stage, withStage } from "./check.ts"

/** Every promise that a provider has to keep, suite by suite. */
export const transportChecks: readonly ContractCheck[] = [
  ...connectionChecks,
  ...deliveryChecks,
  ...orderChecks,
  ...presenceChecks,
  ...signalChecks,
  ...stateChecks,
  ...snapshotChecks,
  ...accessChecks,
  ...revocationChecks,
  ...reconnectChecks,
  ...errorChecks,
  ...lifecycleChecks,
]
