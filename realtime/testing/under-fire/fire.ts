import type { Service } from "./services.ts"

const starts = {
  outages: "startOutage",
  disturbances: "startDisturbance",
  refusals: "startRefusals",
} as const satisfies Record<string, keyof Service>

/** The faults that are on, and how many there were. */
export function createFire(services: readonly Service[]) {
  const made: Record<string, number> = {}
  const ends = new Map<string, () => void>()
  const count = (what: string, { provider }: Service) => {
    const key = services.length > 1 ? `${what} of ${provider}` : what
    made[key] = (made[key] ?? 0) + 1
  }
  return {
    made,
    /** Starts a fault of this service, or ends it where it is on. */
    toggle(service: Service, what: keyof typeof starts): void {
      const key = `${what} ${service.provider}`
      const end = ends.get(key)
      if (end) {
        end()
        ends.delete(key)
        return
      }
      count(what, service)
      ends.set(key, service[starts[what]]())
    },
    cut(service: Service): void {
      count("cuts", service)
      service.dropConnections()
    },
    end(): void {
      for (const end of ends.values()) end()
      ends.clear()
    },
  }
}
