export const dynamic = "force-dynamic"

/** Whether this process answers. */
export function GET(): Response {
  return Response.json({ status: "ok" }, { headers: { "Cache-Control": "no-store" } })
}
