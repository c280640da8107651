import { guests, throughline } from "throughline/next"
import { createDocumentCompactor } from "throughline/yjs/server"
import { documents } from "./documents.ts"

/** Whoever has the address reads and writes. Here you ask who it is; the page is told, and the server decides. */
export const canWrite = () => process.env.READ_ONLY !== "true"

export const realtime = throughline({
  channels: { documents },
  identify: guests(),
  authorize({ channel, action }) {
    if (action !== "publish") return true
    compactor.published(documents(channel.params))
    return canWrite()
  },
})

/** By it a page reads one snapshot and what followed, not all that was ever written. */
const compactor = createDocumentCompactor({ realtime, trim: true })
