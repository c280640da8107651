import { setTimeout as wait } from "node:timers/promises"
import type { ChannelRef } from "throughline"
import type { Throughline } from "throughline/next"
import type { HeardSignal } from "throughline/server"
import type { court, World } from "./court.ts"
import { newWorld, step, tickMs } from "./pong.ts"

type Court = ChannelRef<typeof court>
type Layer = Throughline<{ court: typeof court }>

/** `newest`: by page the number of its last signal; one that was overtaken is of the past. */
type Game = { world: World; newest: Map<string, number> }

/** A reload is no end. */
const graceMs = 4_000
/** One of each court in a process, however often hot reload evaluates this module. */
const shared = globalThis as { courts?: Map<string, Promise<Game>> }
shared.courts ??= new Map()
const games = shared.courts

/** The first signal of a court begins its loop, and the first two people who send one play. */
export async function steer(realtime: Layer, signal: HeardSignal<typeof court, "steered">) {
  const { channel, from, payload, origin } = signal
  const { world, newest } = await (games.get(channel.name) ?? begin(realtime, channel))
  const { page, n } = origin ?? { page: from.id, n: 0 }
  if (n < (newest.get(page) ?? 0)) return
  newest.set(page, n)
  const own = world.players.findIndex((player) => player?.id === from.id)
  const seat = own < 0 ? world.players.indexOf(null) : own
  if (seat < 0) return
  world.players[seat] = from
  world.paddles[seat] = payload.y
}

/** Where the last process stood. What it can't read or write ends it, and the next signal begins it anew. */
function begin(realtime: Layer, channel: Court) {
  const read = realtime.state(channel).read(["world"])
  const game = read.then(({ entries: [kept] }) => {
    return { world: (kept?.value as World | undefined) ?? newWorld(), newest: new Map() }
  })
  games.set(channel.name, game)
  void game
    .then(({ world }) => run(realtime, channel, world))
    .catch(console.error)
    .finally(() => games.delete(channel.name))
  return game
}

/** Twenty times a second, until nobody has been there for a while. */
async function run(realtime: Layer, channel: Court, world: World) {
  const seenAt = new Map<string, number>()
  let last = ""
  for (let tick = 0, emptyMs = 0; emptyMs < graceMs; tick += 1, emptyMs += tickMs) {
    const now = performance.now()
    // Once a second: on Pusher and Ably it is a request.
    if (tick % 20 === 0) {
      const { count, members } = await realtime.members(channel)
      if (count > 0) emptyMs = 0
      const here = members?.map(({ user }) => user) ?? world.players
      for (const user of here) if (user) seenAt.set(user.id, now)
    }
    for (const [seat, player] of world.players.entries()) {
      const at = player ? (seenAt.get(player.id) ?? now) : now
      if (player) seenAt.set(player.id, at)
      if (now - at > graceMs) world.players[seat] = null
    }
    const scorer = world.players.every(Boolean) ? step(world) : null
    if (scorer !== null) {
      const { id = "", name = id } = world.players[scorer] ?? {}
      await realtime.publish(channel, "scored", { by: name, score: world.score })
    }
    if (last !== JSON.stringify(world)) await realtime.state(channel).set("world", world)
    last = JSON.stringify(world)
    await wait(Math.max(0, tickMs - (performance.now() - now)))
  }
}
