import { describe, expect, it } from "vitest"
import { RealtimeError } from "../errors.ts"
import fc from "../testing/fast-check.ts"
import {
  idleSubscription,
  nextSubscription,
  type SubscriptionCommand,
  type SubscriptionEvent,
  type SubscriptionState,
} from "./subscription-policy.ts"

const refusal = new RealtimeError("channel-denied", { message: "unable to join" })
const head = { epoch: "e", seq: 1, first: 1 }

const idle = idleSubscription
const attaching: Partial<SubscriptionState> = { status: { state: "attaching" }, users: 1, isJoined: true }
const attached: Partial<SubscriptionState> = { status: { state: "attached" }, users: 1, isJoined: true }
const denied: Partial<SubscriptionState> = {
  status: { state: "denied", error: refusal },
  users: 1,
  isJoined: true,
}

const named = (commands: readonly SubscriptionCommand[]) =>
  commands.map((command) => (command.type === "show" ? `show ${command.status.state}` : command.type))

const refused = (by: "provider" | "server"): SubscriptionEvent => ({ type: "denied", by, error: refusal })
const answered = (answer: typeof head | RealtimeError | undefined): SubscriptionEvent => ({
  type: "answered",
  head: answer,
})

/** The diagram, arrow by arrow: in which state, what happens, what is done, what is different then. */
const arrows: [
  string,
  Partial<SubscriptionState>,
  SubscriptionEvent,
  string[],
  Partial<SubscriptionState>,
][] = [
  ["joins for the first listener", {}, { type: "used" }, ["join"], { users: 1, isJoined: false }],
  ["shares what is joined", attached, { type: "used" }, [], { users: 2 }],
  [
    "attaches once it has joined",
    { users: 1 },
    { type: "joined" },
    ["show attaching", "enter-presence"],
    { isJoined: true, status: { state: "attaching" } },
  ],
  [
    "is attached",
    attaching,
    { type: "attached" },
    ["show attached"],
    { status: { state: "attached" }, isJoined: true },
  ],
  [
    "is attached again, each time",
    attached,
    { type: "attached" },
    ["show attached"],
    { status: { state: "attached" } },
  ],
  [
    "is interrupted",
    attached,
    { type: "detached" },
    ["show attaching", "interrupt"],
    { status: { state: "attaching" } },
  ],
  ["waits a task before it leaves", attached, { type: "released" }, ["settle-later"], { users: 0 }],
  [
    "leaves after the last listener",
    { ...attached, users: 0 },
    { type: "settled" },
    ["leave", "forget-presence", "show idle"],
    { status: { state: "idle" }, isJoined: false },
  ],
  ["stays for who took it again meanwhile", attached, { type: "settled" }, [], { isJoined: true }],
  [
    "leaves when the client closes, whoever listens",
    attached,
    { type: "closed" },
    ["interrupt", "leave", "forget-presence", "show idle"],
    { status: { state: "idle" }, isJoined: false, users: 1 },
  ],
  ["leaves nothing that isn't joined", { users: 1 }, { type: "closed" }, [], {}],
  ["joins again when the client opens", { users: 1 }, { type: "opened" }, ["join"], {}],
  ["joins nothing that nobody listens to", {}, { type: "opened" }, [], {}],

  [
    "is refused by the provider, which keeps the subscription",
    attaching,
    refused("provider"),
    ["interrupt", "refuse", "forget-presence", "show denied"],
    { status: { state: "denied", error: refusal }, isJoined: true },
  ],
  [
    "is refused by the server, whatever the provider lets through",
    attached,
    refused("server"),
    ["leave", "interrupt", "refuse", "forget-presence", "show denied"],
    { status: { state: "denied", error: refusal } },
  ],
  ["asks again for one more listener", denied, { type: "used" }, ["ask"], { users: 2, recheck: "pending" }],
  ["asks again on return to the page", denied, { type: "review" }, ["ask"], { recheck: "pending" }],
  ["asks nothing while it isn't refused", attached, { type: "review" }, [], { recheck: "none" }],
  [
    "asks one question at a time",
    { ...denied, recheck: "pending" },
    { type: "used" },
    [],
    { recheck: "outdated" },
  ],
  [
    "asks again when somebody came after the question, and it was refused",
    { ...denied, recheck: "outdated" },
    answered(refusal),
    ["ask"],
    { recheck: "pending" },
  ],
  [
    "takes a yes from whenever it was",
    { ...denied, recheck: "outdated" },
    answered(head),
    ["leave", "join"],
    { recheck: "none", isJoined: false },
  ],
  [
    "joins anew when the server shows the log's head",
    { ...denied, recheck: "pending" },
    answered(head),
    ["leave", "join"],
    { recheck: "none", isJoined: false },
  ],
  [
    "tells who waits when the server says no again",
    { ...denied, recheck: "pending" },
    answered(refusal),
    ["refuse"],
    { recheck: "none" },
  ],
  [
    "tells who waits when the server says nothing",
    { ...denied, recheck: "pending" },
    answered(undefined),
    ["refuse"],
    { recheck: "none" },
  ],
  [
    "looks at what a comparison brings",
    denied,
    { type: "compared", head },
    ["leave", "join"],
    { isJoined: false },
  ],
  ["looks at it only while it is refused", attached, { type: "compared", head }, [], {}],
]

describe("a channel's subscription", () => {
  it.each(arrows)("%s", (_, change, event, commands, after) => {
    const next = nextSubscription({ ...idle, ...change }, event)
    expect({ commands: named(next.commands), state: next.state }).toEqual({
      commands,
      state: { ...next.state, ...after },
    })
  })

  const anything = fc.constantFrom<SubscriptionEvent["type"] | "yes" | "no" | "nothing" | "shut out">(
    ...(["used", "released", "settled", "attached", "detached", "denied", "review"] as const),
    ...(["opened", "closed", "yes", "no", "nothing", "shut out"] as const),
  )

  it("is subscribed to once at most, asks one question at a time, and shows each change of its status", () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 40 }), fc.boolean(), (happened, isOpen) => {
        let state = idle
        let shown = idle.status
        let subscriptions = 0
        let questions = 0
        const tell = (event: SubscriptionEvent): void => {
          const next = nextSubscription(state, event)
          state = next.state
          for (const command of next.commands) {
            if (command.type === "leave") subscriptions = 0
            else if (command.type === "ask") questions += 1
            else if (command.type === "show") shown = command.status
            else if (command.type === "join" && isOpen) {
              subscriptions += 1
              tell({ type: "joined" })
            }
            expect([subscriptions <= 1, questions <= 1]).toEqual([true, true])
          }
        }
        for (const what of happened) {
          if (what === "yes" || what === "no" || what === "nothing") {
            if (questions === 0) continue
            questions = 0
            tell(answered({ yes: head, no: refusal, nothing: undefined }[what]))
          } else if (what === "shut out") tell(refused("server"))
          else if (what === "released") {
            if (state.users > 0) tell({ type: "released" })
          } else if (["attached", "detached", "denied"].includes(what)) {
            if (subscriptions === 0) continue
            tell(what === "denied" ? refused("provider") : { type: what as "attached" })
          } else tell({ type: what as "used" })
          expect(shown).toBe(state.status)
        }
      }),
    )
  })
})
