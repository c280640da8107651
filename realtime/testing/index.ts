export { describeTransportContract, type TransportContract } from "./describe-transport-contract.ts"
export { freePort } from "./free-port.ts"
export {
  describeMessageLogContract,
  type MessageLogStore,
  messageLogChecks,
} from "./message-log-contract.ts"
export { findPgBouncer, startPgBouncer } from "./pgbouncer.ts"
export { findPostgres, startPostgres, type TestPostgres } from "./postgres.ts"
export { describePresenceCounts } from "./presence-counts-contract.ts"
export { findRedis, startRedis, type TestRedis } from "./redis.ts"
export { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts"
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
export { type StartedProgram, type StartOptions, waitFor, waitForStart } from "./wait-for.ts"
export { wireOf } from "./wire-of.ts"
