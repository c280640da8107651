import { describe, expect, it } from "vitest"
import { createClientLifecycle } from "./client-lifecycle.ts"

/** A lifecycle that notes its steps; with each, the test may ask for the next. */
function setup({ canReopen = true, during = {} as Record<string, "open" | "close"> } = {}) {
  const steps: string[] = []
  function step(name: string): void {
    steps.push(`${name}: ${lifecycle.state}`)
    const next = during[name]
    delete during[name]
    if (next) lifecycle[next]()
    steps.push(`${name} done`)
  }
  const lifecycle = createClientLifecycle({
    mayOpen: (isAgain) => canReopen || !isAgain,
    start: (isAgain) => step(isAgain ? "start again" : "start"),
    stop: () => step("stop"),
  })
  return { lifecycle, steps, named: () => steps.filter((text) => !text.endsWith("done")) }
}

describe("a client's lifecycle", () => {
  it.each<{ asked: ("open" | "close")[]; steps: string[]; state: string; canReopen?: boolean }>([
    { asked: [], steps: [], state: "made" },
    { asked: ["open", "open"], steps: ["start: open"], state: "open" },
    { asked: ["close", "close"], steps: ["stop: closed"], state: "closed" },
    { asked: ["close", "open"], steps: ["stop: closed", "start again: open"], state: "open" },
    {
      asked: ["open", "close", "open"],
      steps: ["start: open", "stop: closed", "start again: open"],
      state: "open",
    },
    {
      asked: ["open", "close", "open", "close"],
      steps: ["start: open", "stop: closed"],
      state: "closed",
      canReopen: false,
    },
  ])("asked to $asked it is $state", ({ asked, steps, state, canReopen = true }) => {
    const { lifecycle, named } = setup({ canReopen })
    for (const what of asked) lifecycle[what]()
    expect(named()).toEqual(steps)
    expect(lifecycle.state).toBe(state)
  })

  it("takes the step that is asked for in the midst of another once that one is done", () => {
    const { lifecycle, steps } = setup({ during: { start: "close", stop: "open" } })
    lifecycle.open()
    expect(steps).toEqual([
      ...["start: open", "start done", "stop: closed", "stop done"],
      ...["start again: open", "start again done"],
    ])
  })
})
