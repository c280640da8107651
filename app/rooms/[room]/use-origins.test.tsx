import { act, cleanup, renderHook } from "@testing-library/react"
import { type ReactNode, useMemo } from "react"
import type { RealtimeClient } from "throughline/client"
import { RealtimeProvider } from "throughline/react"
import { afterEach, expect, it, vi } from "vitest"
import { createConversation, type RoomMessage } from "#lib/chat/conversation.ts"
import { MeContext } from "../../_components/chat-provider.tsx"
import { me, startActivity } from "../../testing/activity.ts"
import { useOrigins } from "./use-origins.ts"

const origin = "0198a000-0000-7000-8000-000000000001"
const message = (seq: number, event: string, payload: object) =>
  ({
    ...{ id: `0198a000-0000-7000-8000-00000000010${seq}`, channel: "room:1", epoch: "e", seq, at: seq },
    ...{ event, payload, from: { id: "2", name: "Bob" } },
  }) as RoomMessage
const answer = message(2, "text-sent", { text: "so it is", replyTo: { id: origin, seq: 1 } })
const edit = message(3, "message-edited", { target: origin, text: "newer" })

/** The chat's route, which answers when it is told to. */
function stubQuotes() {
  const questions: {
    /** Resolves once the page has read it. */
    answer(text: string): Promise<void>
    fail(): void
  }[] = []
  vi.stubGlobal("fetch", () => {
    const asked = Promise.withResolvers<Response>()
    questions.push({
      async answer(text) {
        const read = Promise.withResolvers<void>()
        const found = { id: origin, from: { id: "2", name: "Bob" }, text, isDeleted: false }
        const response = Response.json({ messages: [found] })
        const json = response.json.bind(response)
        response.json = () => json().finally(read.resolve)
        asked.resolve(response)
        await read.promise
        // What follows from it needs no timer.
        await new Promise((resolve) => setTimeout(resolve, 0))
      },
      fail: () => asked.resolve(new Response(null, { status: 503 })),
    })
    return asked.promise
  })
  return questions
}

function show(client: RealtimeClient, first: readonly RoomMessage[]) {
  const fold = createConversation(me)
  const { result, rerender } = renderHook(
    ({ messages }: { messages: readonly RoomMessage[] }) => {
      const conversation = useMemo(() => fold(messages, []), [messages])
      return useOrigins({ roomId: "1", conversation, messages, replyingTo: null, initial: none })
    },
    {
      initialProps: { messages: first },
      wrapper: ({ children }: { children: ReactNode }) => (
        <RealtimeProvider client={client}>
          <MeContext value={me}>{children}</MeContext>
        </RealtimeProvider>
      ),
    },
  )
  const quoted = () => {
    const found = result.current(origin)
    return found && found !== "gone" ? found.text : found
  }
  return { quoted, say: (messages: readonly RoomMessage[]) => rerender({ messages }) }
}

const none: never[] = []

afterEach(() => {
  cleanup()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it("shows a quoted message as it is after its last change, in whatever order the answers come", async () => {
  await using activity = await startActivity()
  await vi.waitFor(() => expect(activity.client.connection.status.state).toBe("connected"), 15_000)
  const questions = stubQuotes()
  const { quoted, say } = show(activity.client, [answer])
  await vi.waitFor(() => expect(questions).toHaveLength(1), 15_000)
  say([answer, edit])
  await vi.waitFor(() => expect(questions).toHaveLength(2), 15_000)
  await act(async () => questions[1]?.answer("newer"))
  expect(quoted()).toBe("newer")
  await act(async () => questions[0]?.answer("older"))
  expect(quoted()).toBe("newer")
})

it("asks again for a quoted message that couldn't be had, though nothing else happens", async () => {
  await using activity = await startActivity()
  await vi.waitFor(() => expect(activity.client.connection.status.state).toBe("connected"), 15_000)
  const questions = stubQuotes()
  vi.spyOn(console, "error").mockImplementation(() => {})
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  const { quoted } = show(activity.client, [answer])
  questions[0]?.fail()
  await vi.advanceTimersByTimeAsync(14_000)
  expect(questions).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(2_000)
  await vi.waitFor(() => expect(questions).toHaveLength(2), 15_000)
  void questions[1]?.answer("here it is")
  await vi.waitFor(() => expect(quoted()).toBe("here it is"), 15_000)
})
