import { DoorClosed } from "lucide-react"
import { useTranslations } from "next-intl"
import { NoticeInShell } from "../../_components/notice-in-shell.tsx"
import { KeptWriting } from "./kept-writing.tsx"

/** A private room that isn't theirs looks like one that doesn't exist; in either case somebody may let them in. */
export default function RoomNotFound() {
  const t = useTranslations()
  return (
    <NoticeInShell icon={DoorClosed} title={t("missing.title")} lead={t("missing.lead")}>
      <p className="text-pretty text-muted text-sm">{t("pages.roomAsk", { invite: t("rooms.invite") })}</p>
      <p className="text-pretty text-muted text-sm">{t("pages.roomPick")}</p>
      <KeptWriting />
    </NoticeInShell>
  )
}
