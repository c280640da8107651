import { findKey } from "./auth.ts"
import { ablyError } from "./errors.ts"
import type { Answer, App, Route, RouteContext } from "./model.ts"
import { revokeTokens } from "./revocation.ts"
import { requestToken } from "./tokens.ts"

/** ably/README.md §2.2: `/keys/{keyName}/…`. */
export const keyRoutes: Route[] = [
  {
    method: "POST",
    path: "/keys/:keyName/requestToken",
    handle: (context) => answerTokenRequest(context, (app) => context.readBody(app)),
  },
  {
    // For those who can't post; the fields stand in the query.
    method: "GET",
    path: "/keys/:keyName/requestToken",
    handle: (context) => answerTokenRequest(context, () => Object.fromEntries(context.query)),
  },
  {
    method: "POST",
    path: "/keys/:keyName/revokeTokens",
    handle(context) {
      const { app, key, token } = context.credentials()
      if (token) throw ablyError(40162)
      if (key.name !== context.params.keyName) throw ablyError(40101)
      return { status: 201, body: revokeTokens(app, key, context.readBody()) }
    },
  },
]

function answerTokenRequest(context: RouteContext, read: (app: App) => unknown): Answer {
  const { app, key } = findKey(context.service.apps, context.params.keyName ?? "")
  // Signed requests come without credentials; with the key itself in the header there is nothing to sign.
  const isAuthenticated = context.request.headers.authorization !== undefined
  if (isAuthenticated && (context.credentials().key !== key || context.credentials().token)) {
    throw ablyError(40101)
  }
  return { status: 201, body: requestToken(app, key, read(app), isAuthenticated) }
}
