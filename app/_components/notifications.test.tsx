import { Menu } from "@base-ui/react/menu"
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import type { ReactNode } from "react"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import type { RoomActivityStore } from "#lib/chat/room-activity-store.ts"
import messages from "#lib/i18n/messages/en.json"
import { me, startActivity } from "../testing/activity.ts"

vi.mock("next/navigation", () => ({ useRouter: () => ({ push() {} }), useParams: () => ({}) }))

/** However slow the machine: this only ends what hangs. */
const patience = { timeout: 15_000 }

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
