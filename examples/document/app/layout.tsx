import type { ReactNode } from "react"
import { Throughline } from "../realtime/provider.tsx"
import { realtime } from "../realtime/server.ts"
import { language } from "./language.ts"
import "./document.css"

const colours = "scheme-light-dark bg-white text-neutral-900 dark:bg-neutral-950 dark:text-neutral-100"

export default async function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang={await language()} className={colours}>
      <body>
        <Throughline config={await realtime.config()}>{children}</Throughline>
      </body>
    </html>
  )
}
