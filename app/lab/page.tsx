import type { Metadata } from "next"
import { getTranslations } from "next-intl/server"
import { requireUser } from "#lib/chat/current.ts"
import { getChat } from "#lib/realtime/server.ts"
import { Lab } from "./lab.tsx"

export async function generateMetadata(): Promise<Metadata> {
  const t = await getTranslations("lab")
  return { title: t("title"), description: t("lead") }
}

/** Two people, a spoiled network, and what comes of it, with the contract and without. */
export default async function LabPage() {
  const user = await requireUser("/lab")
  const { realtime } = await getChat()
  return <Lab config={realtime.clientConfig()} owner={user.id} />
}
