import { Menu } from "@base-ui/react/menu"
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import type { ReactNode } from "react"
import { createClient } from "throughline/client"
import { createMemoryLog, createRealtime } from "throughline/server"
import { createContractHttp } from "throughline/testing"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { chatChannels, room as roomChannel } from "#lib/chat/channels.ts"
import { createRoomActivity, type RoomActivityStore } from "#lib/chat/room-activity-store.ts"
import messages from "#lib/i18n/messages/en.json"
import { memoryCapabilities } from "../../realtime/providers/memory/capabilities.ts"
import { createMemoryTransport } from "../../realtime/providers/memory/client.ts"
import { createMemoryHub } from "../../realtime/providers/memory/hub.ts"
import { createMemoryPublisher } from "../../realtime/providers/memory/server.ts"

vi.mock("next/navigation", () => ({ useRouter: () => ({ push() {} }), useParams: () => ({}) }))

const me = { id: "me", name: "Me" }
/** However slow the machine: this only ends what hangs. */
const patience = { timeout: 15_000 }

/** What goes on in one room, as the page follows it; `say` is somebody else's. */
async function startActivity() {
  const log = createMemoryLog()
  const { maxPresenceMembers } = memoryCapabilities
  const hub = createMemoryHub({ authorize: async () => {}, maxPresenceMembers })
  const realtime = createRealtime({
    ...{ channels: chatChannels, log, publishers: [createMemoryPublisher(hub)] },
    ...{ identify: async () => me, authorize: async () => true },
  })
  const onError = () => {}
  const client = createClient({
    transport: createMemoryTransport({
      hub,
      user: me,
      capabilities: memoryCapabilities,
      retryMs: 10,
      onError,
    }),
    http: createContractHttp(realtime as never, me),
    onError,
  })
  const ref = roomChannel({ room: "1" })
  const [head] = await log.heads([ref.name])
  if (!head) throw new Error("the log gave no head")
  const initial = [{ room: "1", read: head, head, unread: 0, mentions: 0 }]
  const store = createRoomActivity({
    ...{ client, me: me.id, initial, onError },
    ask: async () => initial,
    move: async () => {},
  })
  client.open()
  const stop = store.start()
  return {
    store,
    say: (text: string, name = "Bob") =>
      realtime.publish(ref, "text-sent", { text }, { from: { id: "2", name } }),
    async [Symbol.asyncDispose]() {
      stop()
      await client.close()
      await realtime.close()
    },
  }
}

/** As in Chrome on Android: it is there, it can be asked for, and it can't be used. */
function stubNotification(permission: NotificationPermission) {
  const requestPermission = vi.fn(async () => "granted" as const)
  class Unusable {
    static permission = permission
    static requestPermission = requestPermission
    constructor() {
      throw new TypeError("Illegal constructor. Use ServiceWorkerRegistration.showNotification() instead.")
    }
  }
  vi.stubGlobal("Notification", Unusable)
  return requestPermission
}

async function show(
  child: (module: typeof import("./notifications.tsx")) => ReactNode,
  store: RoomActivityStore | null = null,
) {
  // Whether the browser can is remembered for as long as the page lives.
  vi.resetModules()
  const module = await import("./notifications.tsx")
  const { MeContext } = await import("./chat-provider.tsx")
  const { ActivityContext } = await import("./room-activity.tsx")
  render(
    <NextIntlClientProvider locale="en" messages={messages as never} timeZone="UTC">
      <Menu.Root open>
        <Menu.Portal>
          <Menu.Positioner>
            <Menu.Popup>
              <MeContext value={me}>
                <ActivityContext value={store}>{child(module)}</ActivityContext>
              </MeContext>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </NextIntlClientProvider>,
  )
}

beforeEach(() => localStorage.clear())
afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

it("says that the browser can't before anybody is asked for permission", async () => {
  const requestPermission = stubNotification("default")
  await show(({ NotificationChoice }) => <NotificationChoice />)
  fireEvent.click(screen.getByRole("menuitemradio", { name: messages.notifications.everything }))
  expect(await screen.findByText(messages.notifications.unsupported)).toBeTruthy()
  expect(requestPermission).not.toHaveBeenCalled()
})

it("takes a message that can't be told of for the end of the choice, and throws nothing", async () => {
  stubNotification("granted")
  localStorage.setItem("throughline.notify.me", "everything")
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden")
  await using activity = await startActivity()
  await show(
    ({ NotificationChoice, Notifications }) => (
      <>
        <Notifications rooms={[]} />
        <NotificationChoice />
      </>
    ),
    activity.store,
  )
  await activity.say("Hello")
  expect(await screen.findByText(messages.notifications.unsupported, {}, patience)).toBeTruthy()
  const nothing = screen.getByRole("menuitemradio", { name: messages.notifications.nothing })
  expect(nothing.getAttribute("aria-checked")).toBe("true")
})

it("sets apart a name that is written the other way", async () => {
  const titles: string[] = []
  class Shown {
    static permission = "granted"
    constructor(title: string) {
      titles.push(title)
    }
  }
  vi.stubGlobal("Notification", Shown)
  localStorage.setItem("throughline.notify.me", "everything")
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden")
  await using activity = await startActivity()
  const rooms = [{ id: "1", name: "غرفة" }] as never
  await show(({ Notifications }) => <Notifications rooms={rooms} />, activity.store)
  await activity.say("Hello", "أحمد")
  await waitFor(() => expect(titles).toEqual(["\u2068أحمد\u2069 in \u2068غرفة\u2069"]), patience)
})
