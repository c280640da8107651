import { FlaskConical, type LucideIcon, PanelsTopLeft, Rocket, Waypoints } from "lucide-react"
import Link from "next/link"
import { useTranslations } from "next-intl"
import type { ReactNode } from "react"
import { providerNameOf } from "#lib/chat/providers.ts"

/** What this is, what carries it, and what to do with it: for whoever is here for the first time. */
export function Introduction({
  providers,
  labHref = "/lab",
}: {
  /** The one in use, then those that take over. */
  providers: readonly string[]
  labHref?: string
}) {
  const t = useTranslations("welcome")
  const app = useTranslations("app")
  const lab = useTranslations("lab")
  const [carrier = "", ...spare] = providers.map(providerNameOf)
  const what = [
    t("whatText"),
    t("carrier", { provider: carrier }),
    ...(spare.length > 0 ? [t("spare", { provider: spare.join(", ") })] : []),
  ]
  return (
    <ul className="grid gap-4 text-left">
      <Point icon={Waypoints} title={t("what")}>
        {what.reduce((first, next) => app("sentences", { first, next }))}
      </Point>
      <Point icon={PanelsTopLeft} title={t("try")}>
        {t("tryText")}
      </Point>
      <Point icon={FlaskConical} title={t("lab")}>
        {app("sentences", { first: t("labText"), next: "" })}
        <Link href={labHref} className="inline-block font-medium text-accent underline underline-offset-4">
          {lab("open")}
        </Link>
      </Point>
      <Point icon={Rocket} title={t("deploy")}>
        {t.rich("deployText", {
          code: (chunks) => <code className="rounded-sm bg-raised px-1 py-0.5 text-[0.85em]">{chunks}</code>,
        })}
      </Point>
    </ul>
  )
}

function Point({ icon: Icon, title, children }: { icon: LucideIcon; title: string; children: ReactNode }) {
  return (
    <li className="flex gap-3">
      <span
        aria-hidden="true"
        className="grid size-9 shrink-0 place-items-center rounded-xl bg-accent-soft text-accent"
      >
        <Icon size={18} />
      </span>
      <div className="min-w-0">
        <h2 className="font-semibold text-sm">{title}</h2>
        <p className="mt-0.5 text-pretty text-muted text-sm leading-relaxed">{children}</p>
      </div>
    </li>
  )
}
