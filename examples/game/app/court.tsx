"use client"
import { useEffect, useState } from "react"
import type { LogPage, StatePage } from "throughline"
import {
  useChannel,
  useChannelState,
  useConnection,
  useMessages,
  usePresence,
  useSignal,
  useUser,
} from "throughline/react"
import { centre } from "../realtime/court.ts"
import { newWorld, paddle, tickMs } from "../realtime/pong.ts"
import { type Language, texts } from "./texts.ts"

const dots = { up: "text-emerald-600", trying: "text-amber-600", down: "text-red-600" }
const quiet = "mt-3 text-neutral-600 text-sm dark:text-neutral-400"
const court =
  "@container-size relative my-4 block aspect-2/1 overflow-hidden rounded-xl bg-neutral-900 has-focus-visible:ring-4"
const slider = "absolute inset-0 size-full touch-none opacity-0 [writing-mode:vertical-lr]"
const edges = [paddle.inset / 2, 1 - paddle.inset / 2] as const

export function Court({ lang, initial, points }: { lang: Language; initial: StatePage; points: LogPage }) {
  const { title, about, here, steer, players, scored, states } = texts[lang]
  const { world = newWorld() } = useChannelState(centre, ["world"], { initial, perSecond: 20 })
  const last = useMessages(centre, { initial: points }).messages.at(-1)?.payload
  const { state, provider, error } = useConnection()
  const is = state === "connected" ? "up" : error ? "down" : "trying"
  const me = useUser()
  const isReady = useChannel(centre).status.state === "attached"
  const sendSteered = useSignal(centre, "steered", () => {})
  usePresence(centre, {})
  const [y, setY] = useState(0.5)
  // Who comes, or comes back, says where they are: that is how a game begins.
  useEffect(() => {
    if (isReady) sendSteered({ y }).catch(() => {})
  }, [isReady, y])

  // Between two worlds the browser draws what is between; services bring four a second.
  const transition = `translate ${provider === "socketio" ? tickMs : 250}ms linear`
  const at = (x: number, y: number) => `calc(${x * 100}cqw - 50%) calc(${y * 100}cqh - 50%)`
  const { ball, paddles, score } = world
  return (
    <main className="mx-auto max-w-3xl px-3 py-8 sm:px-8">
      <title>{title}</title>
      <h1 className="font-semibold text-2xl tracking-tight">{title}</h1>
      <p className="mt-1" role="status">
        <span className={dots[is]}>●</span> {states[is]} · {provider}
      </p>
      <p className={quiet}>{about}</p>
      <section aria-label={here} className={court}>
        {edges.map((x, side) => {
          const isMine = me && world.players[side]?.id === me.id
          // One's own is where the hand is, not where the server has it by now.
          const look = isMine
            ? { translate: at(x, y) }
            : { translate: at(x, paddles[side] ?? 0.5), transition }
          const style = { ...look, height: `${paddle.height * 100}%` }
          return <i className="absolute top-0 left-0 w-[1.5%] bg-white" key={x} style={style} />
        })}
        {/* A serve isn't flown to. */}
        <b
          className="absolute top-0 left-0 size-[2cqw] rounded-full bg-amber-300"
          key={score.join()}
          style={{ translate: at(ball.x, ball.y), transition }}
        />
        <input
          aria-label={steer}
          className={slider}
          onChange={({ target }) => setY(Number(target.value))}
          type="range"
          {...{ min: 0, max: 1, step: 0.02, value: y }}
        />
      </section>
      <p>{players(...world.players.map((player) => player?.name))}</p>
      <p className="font-semibold text-3xl tabular-nums">{score.join(" – ")}</p>
      <p aria-live="polite">{last && scored(last.by, last.score.join(" – "))}</p>
    </main>
  )
}
