import type { Rest } from "ably"
import { jsonByteLength } from "../../message.ts"
import { groupWithin } from "../../packing.ts"
import { fromAblyError } from "./mapping.ts"

/**
 * Ably's limits of a batch: https://ably.com/docs/messages/batch. 2 MiB for the
 * whole request; some of it is framing.
 */
const maxSpecsPerBatch = 100
const maxBatchBytes = 2 * 1024 * 1024 - 64 * 1024

/** What is published to one channel by a batch. */
export interface Spec {
  channels: [string]
  messages: [{ name: string; data: string; extras?: object }]
}

/** Server: publishes by as few requests as Ably's limits leave. */
export async function publishAll(rest: Pick<Rest, "batchPublish">, specs: readonly Spec[]): Promise<void> {
  for (const batch of inBatches(specs)) {
    const results = await rest.batchPublish(batch).catch((error: unknown) => {
      throw fromAblyError(error, "publish")
    })
    const errors = results
      .flatMap(({ results }) => results)
      .flatMap((result) => ("error" in result ? [fromAblyError(result.error, "publish")] : []))
    // What passes decides: what one channel refuses for good must not keep
    // the others from being tried again.
    const error = errors.find(({ retryable }) => retryable) ?? errors[0]
    if (error) throw error
  }
}

const inBatches = (specs: readonly Spec[]): Spec[][] =>
  groupWithin(specs, maxBatchBytes, jsonByteLength, ({ length }) => length < maxSpecsPerBatch)
