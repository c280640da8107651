import { headers } from "next/headers"
import type { Language } from "./texts.ts"

/** The one of the two that the browser names first. */
export async function language(): Promise<Language> {
  const accepted = (await headers()).get("accept-language") ?? ""
  return accepted.match(/\b(ja|en)\b/)?.[0] === "ja" ? "ja" : "en"
}
