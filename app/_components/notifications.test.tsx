import { Menu } from "@base-ui/react/menu"
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react"
import { NextIntlClientProvider } from "next-intl"
import type { ReactNode } from "react"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import messages from "#lib/i18n/messages/en.json"

const listeners = new Set<(arrival: object) => void>()
vi.mock("next/navigation", () => ({ useRouter: () => ({ push() {} }) }))
vi.mock("./room-activity.tsx", () => ({
  useActivityStore: () => ({ onArrival: (listener: () => void) => listeners.add(listener) && (() => {}) }),
}))

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

async function show(child: (module: typeof import("./notifications.tsx")) => ReactNode) {
  // Whether the browser can is remembered for as long as the page lives.
  vi.resetModules()
  const module = await import("./notifications.tsx")
  const { MeContext } = await import("./chat-provider.tsx")
  render(
    <NextIntlClientProvider locale="en" messages={messages as never} timeZone="UTC">
      <Menu.Root open>
        <Menu.Portal>
          <Menu.Positioner>
            <Menu.Popup>
              <MeContext value={{ id: "me", name: "Me" }}>{child(module)}</MeContext>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </NextIntlClientProvider>,
  )
}

beforeEach(() => {
  localStorage.clear()
  listeners.clear()
})
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
  await show(({ NotificationChoice, Notifications }) => (
    <>
      <Notifications rooms={[]} />
      <NotificationChoice />
    </>
  ))
  const message = { id: "1", from: { id: "2", name: "Bob" }, payload: { text: "Hello" } }
  expect(listeners.size).toBe(1)
  act(() => {
    for (const listener of listeners) listener({ room: "1", message, isMention: false })
  })
  expect(screen.getByText(messages.notifications.unsupported)).toBeTruthy()
  const nothing = screen.getByRole("menuitemradio", { name: messages.notifications.nothing })
  expect(nothing.getAttribute("aria-checked")).toBe("true")
})
