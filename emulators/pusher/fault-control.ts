import type { AppHandle } from "./app.ts"
import { type Connection, connectionFaults } from "./connection.ts"
import { parseFault } from "./fault-json.ts"
import {
  type ActiveFault,
  type ConnectionFault,
  type Fault,
  type FaultScope,
  type Faults,
  isNamed,
} from "./faults.ts"

/** How faults are put in and taken out. */
export interface FaultControl {
  /**
   * A connection fault acts on the connections that are open, unless `on` says otherwise; any other fault acts from now
   * on. Throws a `TypeError` at what makes no sense, as a close code that no close frame may carry.
   */
  inject(fault: Fault): ActiveFault
  /** False when there is no such fault any more. */
  remove(id: string): boolean
  /** Takes all faults out. */
  clear(): void
  /** Those in force, oldest first. */
  list(): readonly ActiveFault[]
}

export function createFaultControl(faults: Faults, apps: readonly AppHandle[]): FaultControl {
  function strikeNow(fault: Fault & ConnectionFault): number {
    let hits = 0
    for (const app of apps) {
      if (fault.app !== undefined && fault.app !== app.id && fault.app !== app.key) continue
      for (const connection of [...app.connections.values()]) {
        if (fault.times !== undefined && hits >= fault.times) return hits
        if (!isInScope(fault, connection)) continue
        connection.suffer(fault)
        hits += 1
      }
    }
    return hits
  }

  return {
    inject(given) {
      const fault = parseFault(toJson(given))
      if ("problem" in fault)
        throw new TypeError(`[emulators/pusher] unable to inject a fault; ${fault.problem}`)
      if (!isConnectionFault(fault) || (fault.on ?? "now") !== "now") return faults.add(fault)
      return { id: "now", fault, hits: strikeNow(fault), remove: () => {} }
    },
    remove: faults.remove,
    clear: faults.clear,
    list: faults.list,
  }
}

/** Without what is only named. */
const toJson = (fault: Fault) =>
  Object.fromEntries(Object.entries(fault).filter(([, value]) => value !== undefined))

function isConnectionFault(fault: Fault): fault is Fault & ConnectionFault {
  return (connectionFaults as readonly string[]).includes(fault.kind)
}

function isInScope(scope: FaultScope, connection: Connection): boolean {
  if (scope.socketId !== undefined && scope.socketId !== connection.socketId) return false
  if (scope.channel === undefined) return true
  return [...connection.subscriptions].some((name) => isNamed(scope.channel, name))
}
