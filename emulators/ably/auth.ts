import { ablyError } from "./errors.ts"
import type { App, Apps, Credentials, Key } from "./model.ts"
import { isRevoked } from "./revocation.ts"
import { isJwt, keyNameOfJwt, readJwt } from "./tokens.ts"

/** ably/README.md §3.1: `appId.keyId:keySecret`. Of a key that is shown, an unknown app is 40101, as a wrong secret is. */
export function authenticateKey(apps: Apps, keyString: string): Credentials {
  const separator = keyString.indexOf(":")
  if (separator < 0) throw ablyError(40005, "invalid key: appId.keyId:keySecret")
  const keyName = keyString.slice(0, separator)
  const app = apps.get(appIdOf(keyName))
  if (!app) throw ablyError(40101, `the key names no application: ${appIdOf(keyName)}`)
  const key = keyOf(app, keyName)
  if (key.secret !== keyString.slice(separator + 1)) throw ablyError(40101, "the key's secret does not match")
  return { app, key, capability: key.capability }
}

/** §3.2, §3.3: an Ably token or a JWT; 40142 expired, 40141 revoked, 40143 unrecognised, 40144 of a bad signature. */
export function authenticateToken(apps: Apps, text: string): Credentials {
  const { app, token } = isJwt(text) ? findJwt(apps, text) : findToken(apps, text)
  if (token.ended) throw ablyError(token.ended)
  if (token.expires <= app.clock.now()) throw ablyError(40142)
  if (isRevoked(app, token)) throw ablyError(40141)
  return { app, key: token.key, capability: token.capability, token }
}

/**
 * Of a key that is only named, in a path or by a JWT, an unknown app is 40400 with 404, and an unknown key with 401:
 * docs/decisions/2026-11-29-ably-credential-errors.md.
 */
export function findKey(apps: Apps, keyName: string): { app: App; key: Key } {
  const app = findApp(apps, keyName)
  return { app, key: keyOf(app, keyName) }
}

function findJwt(apps: Apps, jwt: string) {
  const { app, key } = findKey(apps, keyNameOfJwt(jwt))
  return { app, token: readJwt(app, key, jwt) }
}

function findToken(apps: Apps, text: string) {
  if (!text.includes(".")) throw ablyError(40101, "invalid token: it names no application")
  const app = findApp(apps, text)
  const token = app.tokens.get(text)
  if (!token) throw ablyError(40143)
  return { app, token }
}

function findApp(apps: Apps, name: string): App {
  const app = apps.get(appIdOf(name))
  if (!app) throw ablyError(40400, `no application found with id ${appIdOf(name)}`)
  return app
}

function keyOf(app: App, keyName: string): Key {
  const key = app.keys.find((candidate) => candidate.name === keyName)
  if (!key) throw ablyError(40400, `no key found with name ${keyName}`, 401)
  return key
}

/** The names of keys and tokens begin with their app's id. */
const appIdOf = (name: string) => name.split(".", 1)[0] ?? ""

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
