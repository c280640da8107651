import { toImportError } from "../optional-packages.ts"

/**
 * For what is read from the environment: resolves once there is a request to answer. While pages are built
 * ahead it never does, so that Next.js draws the page for each request, with `cacheComponents` what is within
 * the nearest `<Suspense>`: https://nextjs.org/docs/app/api-reference/functions/connection. Outside of a page
 * it resolves at once.
 */
export async function untilRequest(): Promise<void> {
  const connection = await loadConnection()
  try {
    await connection?.()
  } catch (error) {
    // A script's, or a test's.
    if (!(error instanceof Error && error.message.includes("outside a request scope"))) throw error
  }
}

async function loadConnection() {
  try {
    return (await import("next/server.js")).connection
  } catch (cause) {
    // Without Next.js nothing is built ahead.
    if (toImportError(["next"], cause) === cause) throw cause
    return undefined
  }
}
