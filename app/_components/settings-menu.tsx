"use client"
import { Menu } from "@base-ui/react/menu"
import { clsx } from "clsx"
import {
  Check,
  ChevronsUpDown,
  FlaskConical,
  IdCard,
  Languages,
  LogOut,
  MonitorSmartphone,
} from "lucide-react"
import Link from "next/link"
import { useLocale, useTranslations } from "next-intl"
import { useTheme } from "next-themes"
import { useState } from "react"
import { isolated } from "#lib/i18n/isolated.ts"
import { Avatar } from "./avatar.tsx"
import { useMe } from "./chat-provider.tsx"
import { DeviceDialog } from "./device-dialog.tsx"
import { useLocaleChange } from "./language-switch.tsx"
import { MenuPopup, menuItemClass } from "./menu.tsx"
import { NameDialog } from "./name-dialog.tsx"
import { NotificationChoice } from "./notifications.tsx"
import { SignOutDialog } from "./sign-out-dialog.tsx"
import { useSingleKeys } from "./single-keys.ts"

export function SettingsMenu() {
  const t = useTranslations("settings")
  const lab = useTranslations("lab")
  const me = useMe()
  const changeLocale = useLocaleChange()
  const other = useLocale() === "ja" ? "en" : "ja"
  const { theme, setTheme } = useTheme()
  const [hasSingleKeys, setSingleKeys] = useSingleKeys()
  const [isNaming, setIsNaming] = useState(false)
  const [isLinking, setIsLinking] = useState(false)
  const [isLeaving, setIsLeaving] = useState(false)
  return (
    <>
      <Menu.Root>
        <Menu.Trigger
          aria-label={t("menu", { name: isolated(me.name) })}
          className="flex min-h-12 w-full items-center gap-3 rounded-xl px-2 text-left hover:bg-raised"
        >
          <Avatar id={me.id} name={me.name} size={34} />
          <span className="min-w-0 flex-1 truncate font-medium text-sm">{me.name}</span>
          <ChevronsUpDown size={16} aria-hidden="true" className="text-muted" />
        </Menu.Trigger>
        <MenuPopup side="top">
          <Menu.RadioGroup value={theme} onValueChange={setTheme}>
            <Menu.GroupLabel className="px-3 py-1 text-muted text-xs">{t("theme")}</Menu.GroupLabel>
            {(["light", "dark", "system"] as const).map((value) => (
              <Menu.RadioItem key={value} value={value} className={menuItemClass}>
                <span className="w-4">
                  <Menu.RadioItemIndicator>
                    <Check size={16} aria-hidden="true" />
                  </Menu.RadioItemIndicator>
                </span>
                {t(value)}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
          <Menu.Separator className="my-1.5 h-px bg-line" />
          <NotificationChoice />
          <Menu.Separator className="my-1.5 h-px bg-line" />
          <Menu.CheckboxItem
            checked={hasSingleKeys}
            onCheckedChange={setSingleKeys}
            className={clsx(menuItemClass, "pointer-coarse:hidden")}
          >
            <span className="w-4">
              <Menu.CheckboxItemIndicator>
                <Check size={16} aria-hidden="true" />
              </Menu.CheckboxItemIndicator>
            </span>
            {t("singleKeys")}
          </Menu.CheckboxItem>
          <Menu.Separator className="my-1.5 h-px bg-line pointer-coarse:hidden" />
          <Menu.Item className={menuItemClass} onClick={() => setIsNaming(true)}>
            <IdCard size={16} aria-hidden="true" />
            {t("changeName")}
          </Menu.Item>
          <Menu.Item className={menuItemClass} onClick={() => changeLocale(other)} lang={other}>
            <Languages size={16} aria-hidden="true" />
            {other === "ja" ? "日本語" : "English"}
          </Menu.Item>
          <Menu.Item className={menuItemClass} render={<Link href="/lab" />}>
            <FlaskConical size={16} aria-hidden="true" />
            {lab("open")}
          </Menu.Item>
          <Menu.Item className={menuItemClass} onClick={() => setIsLinking(true)}>
            <MonitorSmartphone size={16} aria-hidden="true" />
            {t("device")}
          </Menu.Item>
          <Menu.Item className={menuItemClass} onClick={() => setIsLeaving(true)}>
            <LogOut size={16} aria-hidden="true" />
            {t("signOut")}
          </Menu.Item>
        </MenuPopup>
      </Menu.Root>
      <NameDialog isOpen={isNaming} onOpenChange={setIsNaming} />
      <DeviceDialog isOpen={isLinking} onOpenChange={setIsLinking} />
      <SignOutDialog isOpen={isLeaving} onOpenChange={setIsLeaving} />
    </>
  )
}
