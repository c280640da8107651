export const dynamic = "force-dynamic"

export const GET = () => Response.json(Date.now(), { headers: { "Cache-Control": "no-store" } })
