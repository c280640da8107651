"use client"
import { useConnection } from "throughline/react"
import { Editor } from "./editor.tsx"
import { type Language, texts } from "./texts.ts"
import { useDocument } from "./use-document.ts"

const [up, trying, down] = ["text-emerald-600", "text-amber-600", "text-red-600"]
const dots: Record<string, string> = { synced: up, reading: up, refused: down, diverged: down }

export function SharedPage({ id, lang, canWrite }: { id: string; lang: Language; canWrite: boolean }) {
  const { title, begin, states } = texts[lang]
  const { document, awareness } = useDocument(id, canWrite)
  const { provider } = useConnection()
  const state = document?.status.state ?? "loading"
  const shown = state === "synced" && !canWrite ? "reading" : state

  return (
    <main className="mx-auto max-w-3xl px-3 py-4 sm:py-8">
      <header className="flex items-center justify-between">
        <h1 className="font-semibold text-xl tracking-tight">{title}</h1>
        <a className="rounded-lg border border-neutral-500/50 px-3 py-1 text-sm" href="/">
          {begin}
        </a>
      </header>
      <p className="my-2 text-sm" role="status">
        <span className={dots[shown] ?? trying}>●</span> {states[shown]} · {provider}
      </p>
      {document && awareness && state !== "loading" && state !== "refused" ? (
        <Editor awareness={awareness} key={awareness.clientID} lang={lang} shared={document} />
      ) : (
        <title>{title}</title>
      )}
    </main>
  )
}
