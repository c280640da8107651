import type { Route } from "./model.ts"
import { paginate } from "./pagination.ts"
import { pageAnswer } from "./route.ts"
import { nested } from "./stats.ts"

const SCHEMA = "https://schemas.ably.com/json/app-stats-0.0.1.json"

/** Since version 3 of the protocol the counts stand in one flat object. */
const FLAT_SINCE = 3

export const statsRoutes: Route[] = [
  {
    method: "GET",
    path: "/stats",
    handle(context) {
      const { id: appId, stats } = context.app()
      const rows = stats.rows(context.query)
      const ordered = context.query.get("direction") === "forwards" ? rows : rows.reverse()
      const page = paginate(ordered, "/stats", context.query, ({ intervalId }) => intervalId)
      const items = page.items.map(({ entries, ...row }) =>
        context.version < FLAT_SINCE
          ? { ...row, ...nested(entries) }
          : { ...row, appId, schema: SCHEMA, entries },
      )
      return pageAnswer({ ...page, items })
    },
  },
  {
    // The vendor's sandbox alone has it.
    method: "POST",
    path: "/stats",
    handle(context) {
      const { stats } = context.app()
      const body = context.readBody()
      for (const fixture of Array.isArray(body) ? body : [body]) stats.addFixture(fixture)
      return { status: 201, body: {} }
    },
  },
]
