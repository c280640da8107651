import type { Answer } from "./model.ts"
import type { Page } from "./pagination.ts"

/** §2.2: what a client of protocol version 2 gets when part of a batch failed. */
export class BatchFailure extends Error {
  readonly batchResponse: unknown

  constructor(batchResponse: unknown) {
    super("batch error")
    this.batchResponse = batchResponse
  }
}

export function pageAnswer({ items, links }: Page<unknown>): Answer {
  return { body: items, links }
}
