import type { Logger } from "#lib/operations/logger.ts"

/** What a newcomer's first visit asks for, in its order: the door, the room, the credential by which the page connects, its counts. */
const firstVisit = ["/", "/rooms/lobby", "/api/realtime/head", "/api/chat/unread"]

/** As long as the slowest machine compiles one of them. */
const patienceMs = 120_000

/**
 * Development: Next.js compiles a page or a route when it is first asked for. So they are asked for while somebody still reads the terminal and
 * opens a browser; what they answer doesn't matter.
 */
export async function warm(url: string, logger: Pick<Logger, "debug">): Promise<void> {
  for (const path of firstVisit) {
    try {
      const signal = AbortSignal.timeout(patienceMs)
      const response = await fetch(new URL(path, url), { redirect: "manual", signal })
      await response.arrayBuffer()
    } catch (error) {
      logger.debug({ err: error, path }, "unable to compile this in advance")
    }
  }
}
