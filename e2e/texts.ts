import en from "../lib/i18n/messages/en.json" with { type: "json" }
import ja from "../lib/i18n/messages/ja.json" with { type: "json" }

export type Texts = typeof en

/** What is said of one or two people who are typing. */
export const typingText = ({ typing }: Texts, first: string, second?: string) =>
  (second === undefined ? typing.one : typing.two)
    .replace(/<\/?who>/g, "")
    .replace(/\{(name|first)\}/, first)
    .replace("{second}", second ?? "")

/** What the interface says in a reader's language: a person finds a button by its words. */
export const textsOf = (locale = "en-US"): Texts => (locale.startsWith("ja") ? ja : en)
