import { cookies } from "next/headers"
import { redirect } from "next/navigation"
import { getTranslations } from "next-intl/server"
import { getSession } from "#lib/chat/current.ts"
import { lobbyId } from "#lib/chat/lobby.ts"
import { signedOutCookie } from "#lib/chat/signed-out-cookie.ts"
import { getEnv } from "#lib/realtime/server.ts"
import { ownPath } from "#lib/security/own-path.ts"
import { Introduction } from "./_components/introduction.tsx"
import { LanguageSwitch } from "./_components/language-switch.tsx"
import { Logo } from "./_components/logo.tsx"
import { SessionNews } from "./_components/session-news.tsx"
import { SignedOutHere } from "./_components/signed-out-here.tsx"
import { WelcomeForm } from "./welcome-form.tsx"

/** The door: a name, and for whoever is here for the first time, what is behind it. */
export default async function WelcomePage({ searchParams }: { searchParams: Promise<{ next?: unknown }> }) {
  const { user } = await getSession()
  if (user) redirect(`/rooms/${lobbyId}`)
  const t = await getTranslations()
  const next = ownPath((await searchParams).next) ?? ""
  const isSignedOutHere = (await cookies()).has(signedOutCookie)
  return (
    <main className="grid min-h-dvh place-items-center p-4 pb-[max(1rem,env(safe-area-inset-bottom))] sm:p-8">
      <SessionNews userId={null} />
      <div className="w-full max-w-md lg:max-w-5xl">
        <header className="mb-6 flex items-center gap-3 lg:mb-8">
          <Logo size={36} />
          <div className="min-w-0">
            <p className="font-semibold text-lg leading-tight tracking-tight">{t("app.name")}</p>
            <p className="text-muted text-sm">{t("app.tagline")}</p>
          </div>
          <span className="ml-auto">
            <LanguageSwitch />
          </span>
        </header>
        <div className="grid gap-8 lg:grid-cols-[minmax(0,26rem)_minmax(0,1fr)] lg:items-start lg:gap-12">
          <section className="rounded-3xl border border-line bg-surface p-6 shadow-(--shadow) sm:p-8">
            <h1 className="font-semibold text-3xl tracking-tight">{t("welcome.title")}</h1>
            <p className="mt-2 mb-6 text-pretty text-muted">
              {t(next ? "welcome.returning" : "welcome.lead")}
            </p>
            <SignedOutHere isNews={isSignedOutHere} />
            <WelcomeForm next={next} />
          </section>
          <section className="px-2 lg:pt-4">
            <Introduction providers={getEnv().REALTIME_PROVIDER} labHref="/?next=/lab" />
          </section>
        </div>
      </div>
    </main>
  )
}
