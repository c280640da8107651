import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { type ClusterBus, type ClusterNote, createPeers, type Entered } from "./cluster.ts"
import { createPresenceRegistry } from "./presence-registry.ts"

type Listener = Parameters<ClusterBus["listen"]>[0]

/** Gateways on a way that loses what it is told to lose. */
function createWay() {
  const listeners = new Map<string, Listener>()
  const way = {
    loses: (_note: ClusterNote): boolean => false,
    createBus(name: string): ClusterBus {
      let posted = 0
      return {
        isConnected: true,
        async post(note) {
          posted += 1
          if (way.loses(note)) return
          const text = JSON.stringify(note)
          for (const [other, hear] of listeners) if (other !== name) hear(JSON.parse(text), name, posted)
        },
        listen: (hear) => void listeners.set(name, hear),
        onConnected: (listener) => listener(),
        close: async () => void listeners.delete(name),
      }
    },
  }
  return way
}

function createGateway(way: ReturnType<typeof createWay>, name: string) {
  const presence = createPresenceRegistry({ maxMembers: 10 })
  const own: Entered[] = []
  const peers = createPeers({
    ...{ bus: way.createBus(name), presence, own: () => own, heartbeatMs: 3_600_000 },
    take: () => {},
    announce: () => {},
  })
  return {
    peers,
    enter(id: string) {
      const entered = { channel: "room:1", connection: `${name}-${id}`, user: { id }, data: null }
      own.push(entered)
      presence.enter(entered.channel, entered.connection, entered.user, entered.data)
      peers.tell({ kind: "entered", ...entered })
    },
    sees: () => (presence.snapshot("room:1").members ?? []).map(({ user }) => user.id).join(),
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }))
afterEach(() => void vi.useRealTimers())

describe("gateways on a way that loses notes", () => {
  it("ask again for who is there when a number is missing, and doubt for a while that they heard everything", () => {
    const way = createWay()
    const [first, second] = [createGateway(way, "first"), createGateway(way, "second")]
    first.enter("alice")
    expect(second.sees()).toBe("alice")
    vi.advanceTimersByTime(10_000)
    expect(second.peers.isInDoubt).toBe(false)

    way.loses = (note) => note.kind === "entered"
    first.enter("bob")
    expect(second.sees()).toBe("alice")
    way.loses = () => false
    first.peers.tell({ kind: "alive" })
    expect(second.sees()).toBe("alice,bob")
    expect(second.peers.isInDoubt).toBe(true)
  })

  it("doubt at first that nothing was said before they listened, and not of one that is new itself", () => {
    const way = createWay()
    const first = createGateway(way, "first")
    const second = createGateway(way, "second")
    expect([first.peers.isInDoubt, second.peers.isInDoubt]).toEqual([false, true])
    vi.advanceTimersByTime(10_000)
    expect(second.peers.isInDoubt).toBe(false)
  })

  it("find each other although the first that they said was lost", () => {
    const way = createWay()
    way.loses = () => true
    const [first, second] = [createGateway(way, "first"), createGateway(way, "second")]
    first.enter("alice")
    second.enter("bob")
    way.loses = () => false
    first.peers.tell({ kind: "alive" })
    expect([first.sees(), second.sees()]).toEqual(["alice,bob", "bob,alice"])
  })
})
