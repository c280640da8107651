"use client"
import { useEffect, useState } from "react"
import texts from "#lib/i18n/last-resort.json"
import { chooseLocale, type Locale, localeCookie } from "#lib/i18n/locales.ts"
import { Button } from "./_components/button.tsx"
import "./globals.css"
import { matches } from "./_components/media.ts"

/** What the reader chose, as far as the page alone can tell. */
function readLocale(): Locale {
  const [, chosen] = new RegExp(`(?:^|; )${localeCookie}=(\\w+)`).exec(document.cookie) ?? []
  return chooseLocale(chosen, navigator.languages.join(","))
}

/** When not even the layout could be made: it stands alone, with texts of its own and the system's theme. */
export default function GlobalError() {
  const [locale, setLocale] = useState<Locale>("en")
  const [isDark, setIsDark] = useState(false)
  useEffect(() => {
    setLocale(readLocale())
    setIsDark(matches("(prefers-color-scheme: dark)"))
  }, [])
  const { title, lead, reload } = texts[locale]
  return (
    <html lang={locale} className={isDark ? "dark" : undefined}>
      <body>
        <title>{title}</title>
        <main className="grid min-h-dvh place-items-center p-6">
          <div className="grid max-w-md justify-items-center gap-4 text-center">
            <h1 className="font-semibold text-2xl tracking-tight">{title}</h1>
            <p className="text-pretty text-muted">{lead}</p>
            <Button look="primary" onClick={() => window.location.reload()}>
              {reload}
            </Button>
          </div>
        </main>
      </body>
    </html>
  )
}
