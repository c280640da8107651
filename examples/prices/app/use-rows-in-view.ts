import { useEffect, useRef, useState } from "react"

/** The symbols whose rows are in view, or nearly. */
export function useRowsInView(first: readonly string[], most: number) {
  const body = useRef<HTMLTableSectionElement>(null)
  const [shown, setShown] = useState(first)
  useEffect(() => {
    const inView = new Set<string>()
    const look: IntersectionObserverCallback = (rows) => {
      for (const { target, isIntersecting } of rows) inView[isIntersecting ? "add" : "delete"](target.id)
      setShown([...inView].slice(0, most))
    }
    const observer = new IntersectionObserver(look, { rootMargin: "200px 0px" })
    for (const row of body.current?.rows ?? []) observer.observe(row)
    return () => observer.disconnect()
  }, [most])
  return { body, shown }
}
