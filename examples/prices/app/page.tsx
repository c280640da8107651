import { keysOf, symbols, tokyo } from "../realtime/market.ts"
import { realtime } from "../realtime/server.ts"
import { language } from "./language.ts"
import { PriceTable } from "./price-table.tsx"

/** Those of a large screen: their prices are in the page's HTML. */
const first = symbols.slice(0, 40)

export default async function Page() {
  const initial = await realtime.state(tokyo).read(keysOf(first))
  return <PriceTable lang={await language()} first={first} initial={initial} />
}
