"use client"
import { CloudAlert } from "lucide-react"
import { ErrorActions, type ErrorProps, useErrorText } from "../_components/error-actions.tsx"
import { NoticeInShell } from "../_components/notice-in-shell.tsx"

/** A room that couldn't be shown; the list of the others stays. */
export default function RoomError(props: ErrorProps) {
  return (
    <NoticeInShell icon={CloudAlert} {...useErrorText(props)}>
      <ErrorActions {...props} />
    </NoticeInShell>
  )
}
