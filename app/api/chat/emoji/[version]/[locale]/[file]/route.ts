import enRecords from "emojibase-data/en/data.json"
import enMessages from "emojibase-data/en/messages.json"
import jaRecords from "emojibase-data/ja/data.json"
import jaMessages from "emojibase-data/ja/messages.json"
import { emojiDataVersion } from "#lib/chat/emoji-data.ts"
import { locales } from "#lib/i18n/locales.ts"

// Made when the app is built: files like any other, without a function behind them.
export const dynamic = "force-static"
export const dynamicParams = false

/** Four of the package's are another word's translation: "activities" is there as what is made active. */
const jaGroups: Record<string, string> = {
  "people-body": "人と体",
  "animals-nature": "動物と自然",
  activities: "活動",
  flags: "旗",
}
const { groups, ...otherMessages } = jaMessages as { groups: { key: string; message: string }[] }
const jaGroupNames = {
  ...otherMessages,
  groups: groups.map((group) => ({ ...group, message: jaGroups[group.key] ?? group.message })),
}

const files = {
  en: { "data.json": enRecords, "messages.json": enMessages },
  ja: { "data.json": jaRecords, "messages.json": jaGroupNames },
} as const

type Locale = keyof typeof files
type File = keyof (typeof files)[Locale]

export const generateStaticParams = () =>
  locales.flatMap((locale) =>
    Object.keys(files[locale]).map((file) => ({ version: emojiDataVersion, locale, file })),
  )

interface Context {
  params: Promise<{ version: string; locale: string; file: string }>
}

/** Of each emoji what a picker needs, which is less than half of what is known. */
const shorten = ({ emoji, label, version, group, subgroup, tags, skins }: EmojiRecord) => ({
  ...{ emoji, label, version, group, subgroup, tags },
  skins: skins?.map(({ emoji, tone }) => ({ emoji, tone })),
})

export async function GET(_request: Request, { params }: Context): Promise<Response> {
  const { locale, file } = await params
  const content = files[locale as Locale][file as File]
  return Response.json(Array.isArray(content) ? content.map(shorten) : content, {
    headers: { "Cache-Control": "public, max-age=31536000, immutable" },
  })
}
