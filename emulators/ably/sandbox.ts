import { readAppSetup } from "./app.ts"
import { formatCapability } from "./capability.ts"
import { decodeBody } from "./codec.ts"
import { ablyError } from "./errors.ts"
import type { App, Route } from "./model.ts"

/** The vendor's own suites publish far faster than a free account may, and its sandbox lets them. */
const SANDBOX_LIMITS = { maxInboundRate: 1000, maxChannelRate: 1000 }

/** Anybody may make one, and each has channels of its own. */
const MAX_APPS = 1_000

/** The vendor's sandbox: an app of one's own per test run, made and thrown away over REST. */
export const sandboxRoutes: Route[] = [
  {
    method: "POST",
    path: "/apps",
    handle({ service, request }) {
      const setup = request.body.byteLength === 0 ? {} : readAppSetup(decodeBody(request.body, "json"))
      if (setup.id !== undefined && service.apps.has(setup.id)) throw ablyError(40003, "that app exists")
      if (service.apps.size >= MAX_APPS) throw ablyError(40114, "too many apps; delete one first", 429)
      const app = service.addApp({ ...setup, limits: { ...SANDBOX_LIMITS, ...setup.limits } })
      return { status: 201, body: describeApp(app) }
    },
  },
  {
    method: "DELETE",
    path: "/apps/:appId",
    handle({ service, params, credentials }) {
      const { app, token } = credentials()
      if (app.id !== params.appId || token) throw ablyError(40101)
      service.removeApp(app.id)
      return { status: 204 }
    },
  },
]

/** An app as the sandbox's `POST /apps` answers. */
export interface AppDescription {
  /** The account that the app belongs to, made up. */
  accountId: string
  /** The id of the app. */
  appId: string
  /** Its keys, at least one. */
  keys: {
    /** With `value` the same in two parts, which the suites of other SDKs read. */
    id: string
    value: string
    keyName: string
    keySecret: string
    /** `appId.keyId:keySecret`, what an SDK takes as `key`. */
    keyStr: string
    capability: string
    revocableTokens: boolean
  }[]
  /** Its channel rules, by namespace. */
  namespaces: { id: string; persisted: boolean; persistLast: boolean; mutableMessages: boolean }[]
}

export function describeApp(app: App): AppDescription {
  return {
    accountId: "emulator",
    appId: app.id,
    keys: app.keys.map((key) => ({
      id: key.name.slice(app.id.length + 1),
      value: key.secret,
      keyName: key.name,
      keySecret: key.secret,
      keyStr: `${key.name}:${key.secret}`,
      capability: formatCapability(key.capability),
      revocableTokens: key.revocableTokens,
    })),
    namespaces: [...app.namespaces.values()],
  }
}
