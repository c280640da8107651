/** What the API doesn't have: answered as the rest of it is, in place of the page that says so to people. */
export const dynamic = "force-dynamic"

const notFound = () => {
  const error = { code: "invalid-request", message: "unable to answer; there is no such endpoint" }
  return Response.json({ error }, { status: 404, headers: { "Cache-Control": "no-store" } })
}

export { notFound as DELETE, notFound as GET, notFound as PATCH, notFound as POST, notFound as PUT }
