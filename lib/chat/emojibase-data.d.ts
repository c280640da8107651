// What of each file is used; to infer the types of 2 MB of JSON would take the compiler longer than all the rest.
interface EmojiRecord {
  emoji: string
  label: string
  version: number
  group?: number
  subgroup?: number
  tags?: string[]
  skins?: { emoji: string; tone?: number | number[] }[]
}

declare module "emojibase-data/en/data.json" {
  const records: EmojiRecord[]
  export default records
}
declare module "emojibase-data/ja/data.json" {
  const records: EmojiRecord[]
  export default records
}
declare module "emojibase-data/en/messages.json" {
  const messages: object
  export default messages
}
declare module "emojibase-data/ja/messages.json" {
  const messages: object
  export default messages
}
