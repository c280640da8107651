import { setTimeout as delay } from "node:timers/promises"
import { type Rival, rivals } from "../testing/documents/rivals.ts"
import { waitFor } from "../testing/wait-for.ts"
import { lengthOf } from "./typing.ts"

/**
 * A page that opens a document for the first time, in a process of its own: the rival, the server's address
 * and how long the document is are its arguments. Says how long that took until all of it was there and the
 * page said so, and, where the server counts them, how many requests it was.
 */
const [name = "", url = "", length = "", counts] = process.argv.slice(2)
/** What comes with or after an opening, and whatever a page does that stands idle. */
const idleMs = 3_000

const requests = async () => (counts ? Number(await (await fetch(`${url}/requests`)).text()) : 0)

const open = await (rivals as Record<string, Rival>)[name]?.prepare(url)
if (!open) throw new TypeError(`unable to open a document of "${name}"`)
const before = await requests()
const [began, idle] = [performance.now(), process.cpuUsage()]
const page = open(url)
const isThere = () => page.isSynced && lengthOf(page.doc) === Number(length)
const opened = await new Promise<{ openMs: number; cpuMs: number }>((resolve, reject) => {
  function look(): void {
    if (!isThere()) return
    const { user, system } = process.cpuUsage(idle)
    resolve({ openMs: performance.now() - began, cpuMs: (user + system) / 1_000 })
  }
  page.onChange(look)
  // What says that it is in step before it has everything doesn't say it again.
  page.doc.on("afterTransaction", look)
  waitFor(isThere, "the document").then(look, reject)
})
await delay(idleMs)
process.send?.({ ...opened, requests: (await requests()) - before }, () => process.exit(0))
