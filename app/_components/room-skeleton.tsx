"use client"
import { useTranslations } from "next-intl"

const lines = ["w-2/5", "w-3/5", "w-1/3", "w-1/2", "w-2/5", "w-1/4"]

/**
 * A room that is on its way: the same frame with its name, and shapes where its messages will stand. It shows itself only
 * when the way is long enough to notice.
 *
 * It covers the page that is left, instead of being the route's `loading.tsx`: that would stream every room's first HTML behind a
 * placeholder, without its messages where no script runs, and answer 200 for rooms that don't exist.
 */
export function RoomSkeleton({ name }: { name: string }) {
  const t = useTranslations("rooms")
  return (
    <div
      role="status"
      className="absolute inset-0 z-10 flex animate-[appear_0.2s_0.15s_both] flex-col bg-background"
    >
      <span className="sr-only">{t("loading")}</span>
      <div className="flex min-h-16 items-center border-line border-b bg-surface px-4 md:px-5">
        <p className="truncate font-semibold tracking-tight max-md:pl-10">{name}</p>
      </div>
      <div
        aria-hidden="true"
        className="flex min-h-0 flex-1 flex-col justify-end gap-5 overflow-hidden px-conversation pb-24"
      >
        {lines.map((width, index) => (
          <div
            key={index}
            className="flex animate-[breathe_1.6s_infinite] gap-2.5"
            style={{ animationDelay: `${index * 80}ms` }}
          >
            <span className="size-9 shrink-0 rounded-full bg-raised" />
            <span className={`h-10 rounded-2xl bg-raised ${width}`} />
          </div>
        ))}
      </div>
    </div>
  )
}
