export { describeTransportContract, type TransportContract } from "./describe-transport-contract.ts"
export {
  describeMessageLogContract,
  type MessageLogStore,
  messageLogChecks,
} from "./message-log-contract.ts"
export { findPostgres, startPostgres, type TestPostgres } from "./postgres.ts"
export { describePresenceCounts } from "./presence-counts-contract.ts"
export {
  type ContractBackend,
  type ContractCheck,
  type ContractRealtime,
  contractChannels,
  createContractHttp,
  createContractRealtime,
  type Stage,
  transportChecks,
  withStage,
} from "./transport-contract/index.ts"
export { waitFor } from "./wait-for.ts"
