import type { Driver } from "kysely"
import { RealtimeError } from "#realtime"

/**
 * Makes a driver say by `log-unavailable` that the database can't be used now, as the log does of itself: what was asked may be
 * asked again, and a message that waits for it goes on waiting. `unavailability` tells why; null: what was asked was wrong, and stays
 * the driver's error.
 */
export function sayingUnavailable(driver: Driver, unavailability: (error: unknown) => string | null): Driver {
  async function saying<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
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
    connection.executeQuery = (query, options) => saying(() => execute(query, options))
    return connection
  }
  return driver
}
