/** Of `emojibase-data`: it stands in the addresses, so that what they hold never changes. */
export const emojiDataVersion = "17.0.0"

/** Where the page finds names, groups and search words of emoji: `<locale>/data.json` and `<locale>/messages.json`. */
export const emojiDataUrl = `/api/chat/emoji/${emojiDataVersion}`
