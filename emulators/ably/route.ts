import type { App } from "./app.ts"
import type { Credentials } from "./auth.ts"
import type { Page } from "./pagination.ts"
import type { Publisher } from "./publisher.ts"
import type { AblyService } from "./service.ts"

/** An HTTP request without its socket. Header names are in lower case. */
export interface RestRequest {
  method: string
  path: string
  query: URLSearchParams
  headers: Record<string, string | undefined>
  body: Uint8Array
}

export interface RestResponse {
  status: number
  headers: Record<string, string>
  body: Uint8Array
}

/** What a route works with: the request, read; and who asks, once the route wants to know. */
export interface RouteContext {
  service: AblyService
  request: RestRequest
  /** The variable segments of the path, decoded. */
  params: Record<string, string>
  query: URLSearchParams
  /** The protocol version that the client speaks. */
  version: number
  /** Needs an app for its limits; a route without credentials names it. */
  readBody(app?: App): unknown
  credentials(): Credentials
  app(): App
  publisher(): Publisher
}

export interface Answer {
  status?: number
  body?: unknown
  links?: Record<string, string>
}

export interface Route {
  method: string
  /** `:name` is a variable segment. */
  path: string
  handle(context: RouteContext): Answer
}

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
