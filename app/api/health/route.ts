import { health } from "#lib/operations/pages.ts"

export const dynamic = "force-dynamic"

export const GET = health
