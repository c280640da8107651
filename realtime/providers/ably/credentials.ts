import type { Rest, TokenParams } from "ably"
import { SignJWT } from "jose"
import { isPassing, isRealtimeError, RealtimeError, toWireError, type WireError } from "../../errors.ts"
import type { JsonValue } from "../../json.ts"
import type { User } from "../../message.ts"
import type { ChannelAction, CredentialsRequest } from "../../publisher.ts"
import type { ApiKey } from "./api-key.ts"
import { ablyCapabilities } from "./capabilities.ts"
import {
  type ChannelRights,
  capabilityOf,
  messagesChannel,
  provider,
  revocationKeyOf,
  toClientId,
} from "./mapping.ts"

export interface CredentialsOptions {
  apiKey: ApiKey
  /** Makes what Ably makes a token of. */
  auth: Pick<Rest["auth"], "createTokenRequest">
  tokenTtlMs: number
  now: () => number
}

/** By its channels in Ably, what may be done there. */
type Capability = Record<string, string[]>

/** The most channels of one token; a page that joins more is refused the rest. */
const { maxChannels } = ablyCapabilities
/**
 * A JWT travels in an address and in headers, where much more than 8 kB isn't taken:
 * https://ably.com/docs/auth/token/jwt
 */
const maxJwtLength = 6 * 1024

/**
 * Server: a token for exactly the channels that were asked for and are allowed; the
 * others come back with the reason, which may be one that passes.
 */
export function createCredentials({ apiKey, auth, tokenTtlMs, now }: CredentialsOptions) {
  const signingKey = new TextEncoder().encode(apiKey.secret)

  const sign = (user: User, capability: Capability): Promise<string> =>
    new SignJWT({
      "x-ably-capability": JSON.stringify(capability),
      "x-ably-clientId": toClientId(user),
      // Without the name, which may change.
      "x-ably-revocation-key": revocationKeyOf(user.id),
    })
      .setProtectedHeader({ typ: "JWT", alg: "HS256", kid: apiKey.name })
      .setIssuedAt(Math.floor(now() / 1000))
      .setExpirationTime(Math.ceil((now() + tokenTtlMs) / 1000))
      .sign(signingKey)

  /**
   * For whom is in so many channels that no JWT holds them: the browser has Ably
   * make a token of it, which is short.
   */
  async function requestFor(user: User, capability: Capability): Promise<JsonValue> {
    const wanted = { capability, clientId: toClientId(user), ttl: tokenTtlMs, timestamp: now() }
    return {
      ...(await auth.createTokenRequest(wanted as unknown as TokenParams)),
    } as unknown as JsonValue
  }

  return async ({ user, body, authorize }: CredentialsRequest): Promise<JsonValue> => {
    const answers = await Promise.all(
      channelsOf(body).map((channel, index) =>
        rightsAt(index, channel, authorize).then(
          (rights) => ({ channel, rights }),
          (error: unknown) => ({ channel, error }),
        ),
      ),
    )
    // What the server fails at holds up nothing else, where the page can ask for that by itself again. Where
    // it fails at everything, all is asked again.
    const failed = answers.filter((answer) => "error" in answer)
    const passing = failed.find(({ error }) => isPassing(error))
    const isDecided = answers.some((answer) => !("error" in answer) || !isPassing(answer.error))
    if (passing && !(body.mayBePartial === true && isDecided)) throw passing.error
    const capability: Capability = {}
    const denied: Record<string, WireError> = {}
    for (const answer of answers) {
      if ("error" in answer) denied[answer.channel] = toWireError(answer.error)
      else Object.assign(capability, capabilityOf(answer.channel, answer.rights))
    }
    // A token needs some capability; this channel carries nothing.
    if (Object.keys(capability).length === 0) capability[messagesChannel("")] = ["subscribe"]
    const token = await sign(user, capability)
    return {
      token: token.length > maxJwtLength ? await requestFor(user, capability) : token,
      denied: denied as unknown as JsonValue,
    }
  }
}

function channelsOf({ channels }: CredentialsRequest["body"]): string[] {
  if (Array.isArray(channels) && channels.every((channel) => typeof channel === "string")) return channels
  const message = "unable to sign; the request is malformed"
  throw new RealtimeError("invalid-request", { provider, message })
}

async function rightsAt(index: number, channel: string, authorize: CredentialsRequest["authorize"]) {
  if (index < maxChannels) return rightsIn(channel, authorize)
  const message = `unable to join more than ${maxChannels} channels over one connection; leave others first`
  throw new RealtimeError("rate-limited", { provider, message, retryable: false })
}

/**
 * Whoever may read may come in; whether they may signal and appear there is asked
 * as well, since Ably won't ask us.
 */
async function rightsIn(channel: string, authorize: CredentialsRequest["authorize"]): Promise<ChannelRights> {
  await authorize(channel, "subscribe")
  const may = (action: ChannelAction) =>
    authorize(channel, action).then(
      () => true,
      (error: unknown) => {
        if (isRealtimeError(error) && error.code === "channel-denied") return false
        throw error
      },
    )
  const [signal, presence] = await Promise.all([may("signal"), may("presence")])
  return { signal, presence }
}
