import { describe, it } from "vitest"
import { type MessageLogStore, messageLogChecks, withMessageLog } from "./message-log-contract/index.ts"

export { type MessageLogStore, messageLogChecks, withMessageLog } from "./message-log-contract/index.ts"

export interface MessageLogContract {
  /** As it stands in the report: the log and what it runs on. */
  name: string
  /** An empty store of its own for each check. */
  open(): Promise<MessageLogStore>
}

/** Runs the whole contract over one log. A log is complete once it passes. */
export function describeMessageLogContract({ name, open }: MessageLogContract): void {
  describe(`message log contract (${name})`, () => {
    for (const [sentence, check] of Object.entries(messageLogChecks)) {
      it(sentence, () => withMessageLog(open, check))
    }
  })
}
