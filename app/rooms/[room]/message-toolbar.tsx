"use client"
import { Menu } from "@base-ui/react/menu"
import { Toolbar } from "@base-ui/react/toolbar"
import { clsx } from "clsx"
import { Copy, Ellipsis, Link2, Pencil, Reply, SmilePlus, Trash2, Users } from "lucide-react"
import { useTranslations } from "next-intl"
import type { ReactElement } from "react"
import type { Said } from "#lib/chat/conversation.ts"
import { copyText, hasClipboard } from "../../_components/clipboard.ts"
import { MenuPopup, menuItemClass } from "../../_components/menu.tsx"
import { toast } from "../../_components/toast.tsx"
import { EmojiPicker } from "./emoji-picker.tsx"
import { useRoomActions } from "./room-actions.ts"

const buttonClass =
  "grid size-9 place-items-center rounded-lg text-muted outline-none pointer-coarse:size-11 hover:bg-raised hover:text-text focus-visible:bg-raised focus-visible:text-text focus-visible:ring-2 focus-visible:ring-accent"

interface Props {
  said: Said
  isMine: boolean
  /** Its day and time, in full. */
  when: string
  /** Called with true while something of it is open, beside which attention goes elsewhere. */
  onHold(isHeld: boolean): void
}

/** What one can do with a message: react, answer, and behind the dots what is rarer. */
export function MessageToolbar({ said, isMine, when, onHold }: Props) {
  const t = useTranslations("messages")
  const { react, reply } = useRoomActions()
  return (
    <>
      {/* Over nothing: beside what was said, and where that leaves no room, below it. */}
      <div className="h-10.5 pointer-coarse:h-12.5 @xl:hidden" />
      <div
        className={clsx(
          "pointer-events-none absolute inset-y-0 z-10 flex flex-col justify-end",
          isMine ? "right-0 @xl:right-full @xl:mr-2.5" : "left-0 @xl:left-full @xl:ml-2.5",
        )}
      >
        <Toolbar.Root
          aria-label={t("actions")}
          // Of a message that ends further down, at the edge of what is seen.
          className="pointer-events-auto sticky top-1 bottom-1 flex rounded-xl border border-line bg-surface p-0.5 shadow-(--shadow)"
        >
          <EmojiPicker
            onPick={(emoji) => react(said, emoji)}
            onOpenChange={(isOpen) => isOpen && onHold(true)}
            onOpenChangeComplete={(isOpen) => !isOpen && onHold(false)}
          >
            <ToolbarButton label={t("react")}>
              <SmilePlus size={18} aria-hidden="true" />
            </ToolbarButton>
          </EmojiPicker>
          <ToolbarButton label={t("reply")} onClick={() => reply(said)}>
            <Reply size={18} aria-hidden="true" />
          </ToolbarButton>
          <MoreMenu said={said} isMine={isMine} when={when} onHold={onHold} />
        </Toolbar.Root>
      </div>
    </>
  )
}

function ToolbarButton({
  label,
  children,
  ...props
}: { label: string; children: ReactElement } & Toolbar.Button.Props) {
  return (
    <Toolbar.Button aria-label={label} title={label} className={buttonClass} {...props}>
      {children}
    </Toolbar.Button>
  )
}

function MoreMenu({ said, isMine, when, onHold }: Props) {
  const t = useTranslations("messages")
  const { edit, remove, showReactions, linkTo, isOwner } = useRoomActions()
  const copy = async (text: string) => toast(t((await copyText(text)) ? "copied" : "copyFailed"))
  const copyLink = async (address: string) =>
    toast(t((await copyText(address)) ? "linkCopied" : "linkCopyFailed"))
  const link = linkTo(said)
  return (
    <Menu.Root
      onOpenChange={(isOpen) => isOpen && onHold(true)}
      onOpenChangeComplete={(isOpen) => !isOpen && onHold(false)}
    >
      <Menu.Trigger
        render={
          <ToolbarButton label={t("more")}>
            <Ellipsis size={18} aria-hidden="true" />
          </ToolbarButton>
        }
      />
      {/* Over the messages, and not over the list of rooms beside them. */}
      <MenuPopup align="start">
        <Menu.Group>
          <Menu.GroupLabel className="px-3 py-1.5 text-muted text-xs">{when}</Menu.GroupLabel>
          {said.text !== "" && hasClipboard() && (
            <Menu.Item className={menuItemClass} onClick={() => copy(said.text)}>
              <Copy size={16} aria-hidden="true" />
              {t("copy")}
            </Menu.Item>
          )}
          {link && hasClipboard() && (
            <Menu.Item className={menuItemClass} onClick={() => copyLink(link)}>
              <Link2 size={16} aria-hidden="true" />
              {t("copyLink")}
            </Menu.Item>
          )}
          {said.reactions.length > 0 && (
            <Menu.Item className={menuItemClass} onClick={() => showReactions(said)}>
              <Users size={16} aria-hidden="true" />
              {t("whoReacted")}
            </Menu.Item>
          )}
          {isMine && said.text !== "" && (
            <Menu.Item className={menuItemClass} onClick={() => edit(said)}>
              <Pencil size={16} aria-hidden="true" />
              {t("edit")}
            </Menu.Item>
          )}
          {(isMine || isOwner) && (
            <Menu.Item className={clsx(menuItemClass, "text-bad")} onClick={() => remove(said)}>
              <Trash2 size={16} aria-hidden="true" />
              {t("delete")}
            </Menu.Item>
          )}
        </Menu.Group>
      </MenuPopup>
    </Menu.Root>
  )
}
