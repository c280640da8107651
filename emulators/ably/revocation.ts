import { ablyError, toAblyError } from "./errors.ts"
import type { App, Key, Revocation, Token } from "./model.ts"
import { isRecord } from "./wire.ts"

const REAUTH_MARGIN = 30_000
const MAX_AGE = 3_600_000

export function isRevoked(app: App, token: Token): boolean {
  const now = app.clock.now()
  return app.revocations.some((revocation) => now >= revocation.appliesAt && targets(revocation, token))
}

/** The time from which the token is refused, if a revocation that names it is already known. */
export function targets(revocation: Revocation, token: Token): boolean {
  if (revocation.keyName !== token.key.name || token.issued >= revocation.issuedBefore) return false
  switch (revocation.type) {
    case "clientId":
      return token.clientId === revocation.value
    case "revocationKey":
      return token.revocationKey === revocation.value
    case "channel":
      return Object.hasOwn(token.capability, revocation.value)
  }
}

/** Answers each target apart; a bad one doesn't spoil the others. */
export function revokeTokens(app: App, key: Key, request: unknown) {
  if (!key.revocableTokens) throw ablyError(40163)
  if (!isRecord(request) || !Array.isArray(request.targets) || request.targets.length === 0) {
    throw ablyError(40001, "targets is a list")
  }
  const now = app.clock.now()
  const issuedBefore = request.issuedBefore ?? now
  if (typeof issuedBefore !== "number" || issuedBefore > now || issuedBefore < now - MAX_AGE)
    throw ablyError(40003, "issuedBefore lies within the last hour")
  const appliesAt = request.allowReauthMargin === true ? now + REAUTH_MARGIN : now

  const results = request.targets.map((target: unknown) => {
    try {
      const revocation = { ...readTarget(target), keyName: key.name, issuedBefore, appliesAt }
      app.revoke(revocation)
      return { target, issuedBefore, appliesAt }
    } catch (error) {
      return { target, error: toAblyError(error).toErrorInfo() }
    }
  })
  const failureCount = results.filter((result) => "error" in result).length
  return { successCount: results.length - failureCount, failureCount, results }
}

function readTarget(target: unknown): Pick<Revocation, "type" | "value"> {
  const match = typeof target === "string" && /^(clientId|channel|revocationKey):(.+)$/s.exec(target)
  if (!match) throw ablyError(40000, "a target reads type:value")
  return { type: match[1] as Revocation["type"], value: match[2] ?? "" }
}
