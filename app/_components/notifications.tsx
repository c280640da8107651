"use client"
import { Menu } from "@base-ui/react/menu"
import { Check } from "lucide-react"
import { useRouter } from "next/navigation"
import { useLocale, useTranslations } from "next-intl"
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react"
import { type PersonalStorage, personalStorage } from "#lib/chat/personal-storage.ts"
import { plainTextOf } from "#lib/chat/rich-text.ts"
import type { ListedRoom } from "#lib/chat/rooms.ts"
import { isolated } from "#lib/i18n/isolated.ts"
import { useMe } from "./chat-provider.tsx"
import { menuItemClass } from "./menu.tsx"
import { useActivityStore } from "./room-activity.tsx"
import { useRoomName } from "./use-room-name.ts"

const choices = ["nothing", "mentions", "everything"] as const
type Choice = (typeof choices)[number]

const maxBodyLength = 140

/** What notifies here; nothing unless the browser allows it too. */
function chosen(storage: PersonalStorage): Choice {
  if (typeof Notification === "undefined" || Notification.permission !== "granted") return "nothing"
  return choices.find((choice) => choice === storage.read()) ?? "nothing"
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
    return null
  }
}

/** Kept in this browser: another device of the same person may want something else. */
function useChoice() {
  const { id } = useMe()
  const storage = useMemo(() => personalStorage(id, "notify"), [id])
  const choice = useSyncExternalStore(
    storage.subscribe,
    () => chosen(storage),
    () => "nothing" as const,
  )
  const isSupported = useSyncExternalStore(storage.subscribe, isUsable, () => true)
  const choose = useCallback((next: Choice) => storage.write(next), [storage])
  return { choice, isSupported, choose }
}

/** Tells of what is said while nobody looks at the page, as far as one wishes. */
export function Notifications({ rooms }: { rooms: readonly ListedRoom[] }) {
  const t = useTranslations("notifications")
  const messages = useTranslations("messages")
  const lang = useLocale()
  const store = useActivityStore()
  const { choice, choose } = useChoice()
  const nameOf = useRoomName()
  const router = useRouter()

  useEffect(() => {
    if (choice === "nothing") return
    return store.onArrival(({ room, message, isMention }) => {
      if (document.visibilityState === "visible" || (choice === "mentions" && !isMention)) return
      const listed = rooms.find(({ id }) => id === room)
      const name = isolated(message.from?.name ?? messages("somebody"))
      const of = { name, room: listed ? nameOf(listed) : "" }
      const text = plainTextOf(message.payload.text) || t("file")
      const notification = show(t(isMention ? "mention" : "message", of), {
        body: text.length > maxBodyLength ? `${text.slice(0, maxBodyLength)}…` : text,
        lang,
        // Of one message each tab tells, and the system shows one.
        tag: message.id,
      })
      if (!notification) return choose("nothing")
      notification.onclick = () => {
        window.focus()
        router.push(`/rooms/${room}`)
        notification.close()
      }
    })
  }, [store, choice, choose, rooms, t, messages, lang, nameOf, router])

  return null
}

/** The browser is asked when somebody chooses to be notified, never before. */
export function NotificationChoice() {
  const t = useTranslations("notifications")
  const { choice, isSupported, choose } = useChoice()
  const [isBlocked, setIsBlocked] = useState(false)

  async function change(next: Choice): Promise<void> {
    // Without permission nothing is shown: it only tells whether anything ever could be.
    if (next !== "nothing" && Notification.permission !== "granted" && !show(t("title")))
      return choose("nothing")
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
