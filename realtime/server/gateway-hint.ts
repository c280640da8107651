import type { RealtimePublisher } from "../publisher.ts"

/** As long as a gateway takes that was started together with the app. */
const patienceMs = 3_000

const advice =
  "`next dev` alone has no gateway. Start the server that attaches it (attachGateway), or say in internalUrl where it is and start again, or " +
  "use another provider."

/**
 * Server, in development: says once on the console when pages are sent to a gateway that doesn't answer, and
 * what to do about it. Else the pages alone would know.
 */
export function createGatewayHint(): (publisher: RealtimePublisher) => void {
  const asked = new Set<string>()

  /** The least that one can ask a gateway; the services aren't asked for counts. */
  const ask = async ({ counts }: RealtimePublisher) => counts?.([])
  const warn = ({ message }: Error) => console.warn(`${message} Pages aren't connected: ${advice}`)

  return (publisher) => {
    if (asked.has(publisher.provider)) return
    asked.add(publisher.provider)
    const askAgain = () => setTimeout(() => void ask(publisher).catch(warn), patienceMs).unref()
    ask(publisher).catch(askAgain)
  }
}
