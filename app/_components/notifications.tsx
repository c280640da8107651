"use client"
import { Menu } from "@base-ui/react/menu"
import { Check } from "lucide-react"
import { useRouter } from "next/navigation"
import { useLocale, useTranslations } from "next-intl"
import { useEffect, useState, useSyncExternalStore } from "react"
import { menuItemClass } from "./menu.tsx"
import { useActivityStore } from "./room-activity.tsx"
import type { ListedRoom } from "./shell.tsx"
import { useRoomName } from "./use-room-name.ts"

const choices = ["nothing", "mentions", "everything"] as const
type Choice = (typeof choices)[number]

const key = "throughline.notify"
const changed = "throughline:notify"
const maxBodyLength = 140

/** Kept in this browser: another device of the same person may want something else. */
function subscribe(listener: () => void): () => void {
  window.addEventListener("storage", listener)
  window.addEventListener(changed, listener)
  return () => {
    window.removeEventListener("storage", listener)
    window.removeEventListener(changed, listener)
  }
}

/** What notifies here; nothing unless the browser allows it too. */
function chosen(): Choice {
  if (typeof Notification === "undefined" || Notification.permission !== "granted") return "nothing"
  return choices.find((choice) => choice === localStorage.getItem(key)) ?? "nothing"
}

/** Chrome on Android has the constructor, and throws whenever it is called. */
let isRefused = false
const isUsable = () => typeof Notification !== "undefined" && !isRefused

function show(title: string, options?: NotificationOptions): Notification | null {
  try {
    return new Notification(title, options)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    isRefused = true
    choose("nothing")
    return null
  }
}

const useChoice = () => useSyncExternalStore(subscribe, chosen, () => "nothing" as const)

function choose(choice: Choice): void {
  localStorage.setItem(key, choice)
  window.dispatchEvent(new Event(changed))
}

/** Tells of what is said while nobody looks at the page, as far as one wishes. */
export function Notifications({ rooms }: { rooms: readonly ListedRoom[] }) {
  const t = useTranslations("notifications")
  const messages = useTranslations("messages")
  const lang = useLocale()
  const store = useActivityStore()
  const choice = useChoice()
  const nameOf = useRoomName()
  const router = useRouter()

  useEffect(() => {
    if (choice === "nothing") return
    return store.onArrival(({ room, message, isMention }) => {
      if (document.visibilityState === "visible" || (choice === "mentions" && !isMention)) return
      const listed = rooms.find(({ id }) => id === room)
      const name = message.from?.name ?? messages("somebody")
      const of = { name, room: listed ? nameOf(listed) : "" }
      const text = message.payload.text || t("file")
      const notification = show(t(isMention ? "mention" : "message", of), {
        body: text.length > maxBodyLength ? `${text.slice(0, maxBodyLength)}…` : text,
        lang,
        // Of one message each tab tells, and the system shows one.
        tag: message.id,
      })
      if (!notification) return
      notification.onclick = () => {
        window.focus()
        router.push(`/rooms/${room}`)
        notification.close()
      }
    })
  }, [store, choice, rooms, t, messages, lang, nameOf, router])

  return null
}

/** The browser is asked when somebody chooses to be notified, never before. */
export function NotificationChoice() {
  const t = useTranslations("notifications")
  const choice = useChoice()
  const [isBlocked, setIsBlocked] = useState(false)
  const isSupported = useSyncExternalStore(subscribe, isUsable, () => true)

  async function change(next: Choice): Promise<void> {
    // Without permission nothing is shown: it only tells whether anything ever could be.
    if (next !== "nothing" && Notification.permission !== "granted" && !show(t("title"))) return
    if (next !== "nothing" && (await Notification.requestPermission()) !== "granted")
      return setIsBlocked(true)
    setIsBlocked(false)
    choose(next)
  }

  return (
    <Menu.RadioGroup value={choice} onValueChange={change}>
      <Menu.GroupLabel className="px-3 py-1 text-muted text-xs">{t("title")}</Menu.GroupLabel>
      {choices.map((value) => (
        <Menu.RadioItem
          key={value}
          value={value}
          disabled={!isSupported && value !== "nothing"}
          className={menuItemClass}
        >
          <span className="w-4">
            <Menu.RadioItemIndicator>
              <Check size={16} aria-hidden="true" />
            </Menu.RadioItemIndicator>
          </span>
          {t(value)}
        </Menu.RadioItem>
      ))}
      {(isBlocked || !isSupported) && (
        <Menu.Item disabled className="max-w-64 text-pretty px-3 py-1.5 text-bad text-xs">
          {t(isSupported ? "blocked" : "unsupported")}
        </Menu.Item>
      )}
    </Menu.RadioGroup>
  )
}
