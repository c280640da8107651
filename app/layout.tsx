import type { Metadata, Viewport } from "next"
import { headers } from "next/headers"
import { NextIntlClientProvider } from "next-intl"
import { getLocale, getTranslations } from "next-intl/server"
import { ThemeProvider } from "next-themes"
import type { ReactNode } from "react"
import { OfflineLinks } from "./_components/offline-links.tsx"
import { ToastRegion } from "./_components/toast.tsx"
import "./globals.css"

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations("app")
  return {
    title: { default: `${t("name")}: ${t("tagline")}`, template: `%s · ${t("name")}` },
    description: t("description"),
  }
}

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  viewportFit: "cover",
  // A phone's keyboard takes its place from the messages, and doesn't cover what is written.
  interactiveWidget: "resizes-content",
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#fbfbfd" },
    { media: "(prefers-color-scheme: dark)", color: "#101016" },
  ],
}

export default async function RootLayout({ children }: { children: ReactNode }) {
  // The theme is set by a script in the page, before anything is painted.
  const nonce = (await headers()).get("x-nonce") ?? undefined
  return (
    <html lang={await getLocale()} suppressHydrationWarning>
      <body>
        <NextIntlClientProvider>
          <ThemeProvider nonce={nonce} attribute="class">
            {children}
            <OfflineLinks />
            <ToastRegion />
          </ThemeProvider>
        </NextIntlClientProvider>
      </body>
    </html>
  )
}
