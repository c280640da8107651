import { randomUUID } from "node:crypto"
import { redirect } from "next/navigation"
import { canWrite } from "../realtime/server.ts"
import { language } from "./language.ts"
import { SharedPage } from "./shared-page.tsx"

export default async function Page({ searchParams }: { searchParams: Promise<{ document?: unknown }> }) {
  const [{ document }, lang] = [await searchParams, await language()]
  // A new one, at an address that nobody guesses, in the language of whoever begins it.
  if (!/^(en|ja)-[\w-]{1,64}$/.test(`${document}`)) redirect(`/?document=${lang}-${randomUUID()}`)
  return <SharedPage id={`${document}`} lang={lang} canWrite={canWrite()} />
}
