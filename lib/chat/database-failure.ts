import type { Driver } from "kysely"
import { isKeepable, isRealtimeError, RealtimeError } from "throughline"

/**
 * Makes a driver refuse with `invalid-request` a text that not every database keeps, before it asks its own, so that the answer doesn't
 * depend on which one that is. And say by `log-unavailable`, as the log does, that the database can't be used now: the same may be
 * asked again, and a message that waits for it goes on waiting. `unavailability` tells why; null where what was asked was wrong: that
 * stays the driver's error.
 */
export function sayingWhy(driver: Driver, unavailability: (error: unknown) => string | null): Driver {
  async function saying<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      if (isRealtimeError(cause)) throw cause
      const reason = unavailability(cause)
      if (reason === null) throw cause
      throw new RealtimeError("log-unavailable", {
        message: `unable to use the chat's database; ${reason}`,
        cause,
      })
    }
  }

  // Drivers keep connections and know them by identity, so each is changed, once, and not wrapped.
  const changed = new WeakSet<object>()
  const acquire = driver.acquireConnection.bind(driver)
  driver.acquireConnection = async (options) => {
    const connection = await saying(() => acquire(options))
    if (changed.has(connection)) return connection
    changed.add(connection)
    const execute = connection.executeQuery.bind(connection)
    connection.executeQuery = (query, options) =>
      saying(() => {
        query.parameters.forEach(refuseUnkeepable)
        return execute(query, options)
      })
    return connection
  }
  return driver
}

function refuseUnkeepable(parameter: unknown): void {
  if (Array.isArray(parameter)) parameter.forEach(refuseUnkeepable)
  else if (typeof parameter === "string" && !isKeepable(parameter)) {
    const message = "unable to use the chat's database; it keeps no text with NUL or half of a surrogate pair"
    throw new RealtimeError("invalid-request", { message })
  }
}

/** What is worked out by writing it down first, as counts and quotes are: while nothing can be written a page does without. */
export async function orWhileUnavailable<T, U>(answer: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await answer
  } catch (error) {
    if (isRealtimeError(error) && error.code === "log-unavailable") return otherwise
    throw error
  }
}
