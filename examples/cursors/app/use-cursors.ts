import { useEffect, useMemo, useRef, useState } from "react"
import type { Signal, User } from "throughline"
import { useChannel, usePresence, useSignal } from "throughline/react"
import { table } from "../realtime/board.ts"
import { createTrack } from "./track.ts"
import { createTrail } from "./trail.ts"

/** Another page; two of one person have a pointer each. */
interface Other {
  key: string
  user: User
  track: ReturnType<typeof createTrack>
}

const keyOf = ({ from, origin }: Pick<Signal, "from" | "origin">) => `${from.id} ${origin?.page}`

/**
 * Everybody else's pointers, and how to say where this page's is. They move without React: `elements` are placed by their keys
 * once in each frame, while there is something that moves.
 */
export function useCursors() {
  const [others, setOthers] = useState<readonly Other[]>([])
  const known = useRef(others)
  const elements = useRef(new Map<string, HTMLElement>()).current
  const members = usePresence(table, {})?.members
  const isReady = useChannel(table).status.state === "attached"

  function keep(next: readonly Other[]): void {
    known.current = next
    setOthers(next)
  }
  const toOther = (signal: Signal) => ({ key: keyOf(signal), user: signal.from, track: createTrack() })
  const forget = (signal: Signal) => keep(known.current.filter(({ key }) => key !== keyOf(signal)))
  const sendLeft = useSignal(table, "left", forget)
  const sendCame = useSignal(table, "came", (signal) => {
    // A page that was reloaded couldn't say that it left; another one of the same person answers, too.
    keep([...known.current.filter(({ user }) => user.id !== signal.from.id), toOther(signal)])
    page.trail.tell(performance.now())
  })
  const sendMoved = useSignal(table, "moved", (signal) => {
    const other = known.current.find(({ key }) => key === keyOf(signal)) ?? toOther(signal)
    if (!known.current.includes(other)) keep([...known.current, other])
    other.track.take(signal.payload, performance.now())
    page.wake()
  })

  const page = useMemo(() => {
    let frame = 0
    // Alone it would be for nobody.
    const trail = createTrail((path) => void (known.current.length > 0 && sendMoved(path)))
    function draw(now: number): void {
      let isBusy = trail.frame(now)
      for (const { key, track } of known.current) {
        const at = track.at(now)
        const element = elements.get(key)
        if (element) element.hidden = at === null
        if (element && at) element.style.translate = `${at.x / 100}cqw ${at.y / 100}cqh`
        isBusy ||= at?.isMoving === true
      }
      frame = isBusy ? requestAnimationFrame(draw) : 0
    }
    const wake = () => {
      frame ||= requestAnimationFrame(draw)
    }
    return { trail, wake, stop: () => cancelAnimationFrame(frame) }
  }, [sendMoved, elements])
  useEffect(() => page.stop, [page])

  useEffect(() => {
    const follow = () => {
      if (document.visibilityState === "hidden") void sendLeft({})
      else if (isReady) void sendCame({})
    }
    follow()
    document.addEventListener("visibilitychange", follow)
    return () => document.removeEventListener("visibilitychange", follow)
  }, [sendCame, sendLeft, isReady])

  // For whoever's connection ended, who couldn't say that they left.
  const before = useRef(members)
  useEffect(() => {
    const isIn = (list: typeof members, { id }: User) => list?.some(({ user }) => user.id === id) ?? false
    keep(known.current.filter(({ user }) => !isIn(before.current, user) || isIn(members, user)))
    before.current = members
  }, [members])

  return {
    ...{ others, elements },
    point(to: { x: number; y: number } | null): void {
      page.trail.point(to)
      page.wake()
    },
  }
}
