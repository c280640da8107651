"use client"
import { useConnection, usePresence } from "throughline/react"
import { useAwareness, useDocument } from "throughline/yjs/react"
import { documents } from "../realtime/documents.ts"
import { Editor } from "./editor.tsx"
import { seed } from "./seed.ts"
import { type Language, texts } from "./texts.ts"

const [up, trying, down] = ["text-emerald-600", "text-amber-600", "text-red-600"]
const dots: Record<string, string> = { synced: up, reading: up, refused: down, diverged: down }

export function SharedPage({ id, lang, canWrite }: { id: string; lang: Language; canWrite: boolean }) {
  const { title, begin, states } = texts[lang]
  const ref = documents({ document: id })
  const shared = useDocument(ref, { canWrite, seed: (doc) => seed(doc, id) })
  const awareness = useAwareness(ref, shared.doc)
  // With the last page of a person their carets go.
  usePresence(ref, {})
  const { provider } = useConnection()
  const { state } = shared.status
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
      {awareness && state !== "loading" && state !== "refused" ? (
        <Editor awareness={awareness} key={awareness.clientID} lang={lang} shared={shared} />
      ) : (
        <title>{title}</title>
      )}
    </main>
  )
}
