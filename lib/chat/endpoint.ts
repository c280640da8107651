import { logError, type OnError, type User } from "throughline"
import { reportFailure, requireSession, statusOf, toWireError } from "throughline/server"
import { contextOf, withRequest } from "../operations/request-context.ts"

export interface EndpointCall {
  user: User
  url: URL
  request: Request
}

export type Endpoint = (request: Request) => Promise<Response>

export interface EndpointOptions {
  identify(request: Request): Promise<User | null>
  onError?: OnError
}

/**
 * Makes routes of the chat's own, for whoever is signed in: JSON that no cache keeps, failures as
 * `{ error: { code, message } }` with the status of the realtime route.
 */
export function createEndpoints({ identify, onError = logError }: EndpointOptions) {
  const respond = (status: number, body: unknown) =>
    Response.json(body, { status, headers: { "Cache-Control": "no-store" } })

  return function endpoint(answer: (call: EndpointCall) => Promise<object>): Endpoint {
    return (request) =>
      withRequest(contextOf(request.headers), async () => {
        try {
          const user = await requireSession(request, identify)
          return respond(200, await answer({ user, request, url: new URL(request.url) }))
        } catch (error) {
          // What somebody looked for is nobody's to read in a log.
          reportFailure(onError, error, {
            stage: `answer ${request.method} ${new URL(request.url).pathname}`,
          })
          return respond(statusOf(error), { error: toWireError(error) })
        }
      })
  }
}
