import { type ChannelDefinitions, resolveChannel } from "../channel.ts"
import type { OnError } from "../errors.ts"
import type { Signal } from "../message.ts"
import { withinLimit } from "../within-limit.ts"
import type { Declarations, RealtimeCore } from "./types.ts"

/** Longer than anything that is worth hearing takes. */
const handlerLimitMs = 10_000

type Handlers = Record<string, Record<string, ((signal: unknown) => unknown) | undefined> | undefined>

/** Hands signals to server code. What is declared is asked for each time: `redefine` may have changed it. */
export function createHearing<Definitions extends ChannelDefinitions>(
  options: Pick<Declarations<Definitions>, "channels" | "onSignal">,
  onError: OnError,
): RealtimeCore["hearSignal"] {
  requireHeard(options)
  return async ({ channel: name, event, payload, from, at, origin }: Signal) => {
    try {
      if (!options.onSignal) return
      const { kind, definition, params } = resolveChannel(options.channels, name)
      const handler = (options.onSignal as Handlers)[kind]?.[event]
      if (!handler || !definition.heard.includes(event)) return
      const channel = { definition, name, params }
      const result = handler({ channel, event, payload, from, at, ...(origin && { origin }) })
      if (result instanceof Promise) await withinLimit(handlerLimitMs, `hear "${event}"`, () => result)
    } catch (error) {
      onError(error, { stage: "onSignal" })
    }
  }
}

/** A handler of what pages may send past the server would be deaf, and nobody would know why. */
export function requireHeard({
  channels,
  onSignal = {},
}: {
  channels: ChannelDefinitions
  onSignal?: object | undefined
}): void {
  for (const [kind, handlers] of Object.entries(onSignal))
    for (const event of Object.keys(handlers ?? {}))
      if (!channels[kind]?.heard.includes(event))
        throw new TypeError(
          `unable to hear the signal "${event}" of "${kind}"; its definition has to name it in \`heard\``,
        )
}
