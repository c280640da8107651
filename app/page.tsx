import Link from "next/link"
import { redirect } from "next/navigation"
import { getTranslations } from "next-intl/server"
import { getSession } from "#lib/chat/current.ts"
import { lobbyId } from "#lib/chat/lobby.ts"
import { LanguageSwitch } from "./_components/language-switch.tsx"
import { Logo } from "./_components/logo.tsx"
import { WelcomeForm } from "./welcome-form.tsx"

export default async function WelcomePage({ searchParams }: { searchParams: Promise<{ next?: string }> }) {
  const { user } = await getSession()
  if (user) redirect(`/rooms/${lobbyId}`)
  const t = await getTranslations()
  const { next } = await searchParams
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="w-full max-w-md">
        <div className="mb-8 flex items-center gap-3">
          <Logo size={36} />
          <div>
            <p className="font-semibold text-lg leading-tight tracking-tight">{t("app.name")}</p>
            <p className="text-muted text-sm">{t("app.tagline")}</p>
          </div>
          <span className="ml-auto">
            <LanguageSwitch />
          </span>
        </div>
        <section className="rounded-3xl border border-line bg-surface p-6 shadow-(--shadow) sm:p-8">
          <h1 className="font-semibold text-3xl tracking-tight">{t("welcome.title")}</h1>
          <p className="mt-2 mb-6 text-muted">{t("welcome.lead")}</p>
          <WelcomeForm next={next ?? ""} />
        </section>
        <p className="mt-6 text-balance text-center text-muted text-sm">{t("app.description")}</p>
        <p className="mt-3 text-center text-sm">
          <Link
            href="/?next=/lab"
            className="inline-block py-2 font-medium text-accent underline underline-offset-4"
          >
            {t("lab.open")}
          </Link>
        </p>
      </div>
    </main>
  )
}
