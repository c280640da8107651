"use client"
import { useEffect } from "react"
import { totalOf } from "#lib/chat/room-activity.ts"
import { useRoomActivity } from "./room-activity.tsx"

const badge = /^\(\d+\+?\) /

/** The number of unread messages in front of the page's title, whoever sets that, whenever they do. */
export function TitleBadge() {
  const { unread } = totalOf(useRoomActivity())

  useEffect(() => {
    const put = () => {
      const plain = document.title.replace(badge, "")
      const title = unread === 0 ? plain : `(${unread > 99 ? "99+" : unread}) ${plain}`
      if (document.title !== title) document.title = title
    }
    put()
    const observer = new MutationObserver(put)
    observer.observe(document.head, { subtree: true, childList: true, characterData: true })
    return () => observer.disconnect()
  }, [unread])

  useEffect(
    () => () => {
      document.title = document.title.replace(badge, "")
    },
    [],
  )

  return null
}
