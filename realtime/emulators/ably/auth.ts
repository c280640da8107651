import type { App, Key } from "./app.ts"
import type { Capability } from "./capability.ts"
import { ablyError } from "./errors.ts"
import { isRevoked } from "./revocation.ts"
import { isJwt, keyNameOfJwt, readJwt, type Token } from "./tokens.ts"

export type Apps = ReadonlyMap<string, App>

/** Who a connection or request is, before its client id is settled. */
export interface Credentials {
  app: App
  key: Key
  capability: Capability
  /** Absent with key authentication. */
  token?: Token
}

/** ably-protocol.md §3.1: `appId.keyId:keySecret`. */
export function authenticateKey(apps: Apps, keyString: string): Credentials {
  const separator = keyString.indexOf(":")
  if (separator < 0) throw ablyError(40005, "invalid key: appId.keyId:keySecret")
  const { app, key } = findKey(apps, keyString.slice(0, separator))
  if (key.secret !== keyString.slice(separator + 1)) throw ablyError(40101)
  return { app, key, capability: key.capability }
}

/** §3.2, §3.3: an Ably token or a JWT; 40142 expired, 40141 revoked, 40143 unrecognised. */
export function authenticateToken(apps: Apps, text: string): Credentials {
  const { app, token } = isJwt(text) ? findJwt(apps, text) : findToken(apps, text)
  if (token.ended) throw ablyError(token.ended)
  if (token.expires <= app.clock.now()) throw ablyError(40142)
  if (isRevoked(app, token)) throw ablyError(40141)
  return { app, key: token.key, capability: token.capability, token }
}

export function findKey(apps: Apps, keyName: string): { app: App; key: Key } {
  const app = apps.get(keyName.split(".")[0] ?? "")
  if (!app) throw ablyError(40400, `no application found with id ${keyName.split(".")[0]}`)
  const key = app.keys.find((candidate) => candidate.name === keyName)
  if (!key) throw ablyError(40101, "no key with that name")
  return { app, key }
}

function findJwt(apps: Apps, jwt: string) {
  const { app, key } = findKey(apps, keyNameOfJwt(jwt))
  return { app, token: readJwt(app, key, jwt) }
}

function findToken(apps: Apps, text: string) {
  const [appId = "", rest] = text.split(".", 2)
  if (rest === undefined) throw ablyError(40145)
  const app = apps.get(appId)
  if (!app) throw ablyError(40400, `no application found with id ${appId}`)
  const token = app.tokens.get(text)
  if (!token) throw ablyError(40143)
  return { app, token }
}

/**
 * §3.5: the client id that messages of this connection or request carry. A token with a concrete id fixes it, one with `*`
 * leaves the choice, one without forbids it.
 */
export function resolveClientId(credentials: Credentials, requested: string | undefined): string | undefined {
  if (requested === "*") {
    // A key, or a token that may be anyone, may say so; it still names nobody.
    if (!credentials.token || credentials.token.clientId === "*") return undefined
    throw ablyError(40102, "the token does not permit a wildcard clientId")
  }
  if (!credentials.token) return requested
  const held = credentials.token.clientId
  if (held === "*") return requested
  if (requested !== undefined && requested !== held)
    throw ablyError(40102, "clientId differs from the token's")
  return held
}

/** §6.1: a message's clientId is the publisher's; without one, only a key or a `*` token may name someone. */
export function assertMayPublishAs(
  credentials: Credentials,
  own: string | undefined,
  clientId: string | undefined,
): void {
  if (clientId === undefined || clientId === own) return
  if (own !== undefined || clientId === "*" || clientId === "" || !mayBeAnyone(credentials)) {
    throw ablyError(40012, "the message's clientId is not the publisher's")
  }
}

/** §7: `enterClient` and its like need a key or a `*` token, whoever the connection is itself. */
export function assertMayEnterAs(
  credentials: Credentials,
  own: string | undefined,
  clientId: string | undefined,
): string {
  const name = clientId ?? own
  if (name === undefined || name === "" || name === "*") throw ablyError(40012, "presence needs a clientId")
  if (name !== own && !mayBeAnyone(credentials))
    throw ablyError(40012, "the member's clientId is not the connection's")
  return name
}

function mayBeAnyone(credentials: Credentials): boolean {
  return !credentials.token || credentials.token.clientId === "*"
}
