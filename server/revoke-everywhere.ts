import type { RealtimePublisher } from "throughline/server"

/** Ends what a person has open, at every provider. Never rejects: resolves with where that couldn't be told, and why. */
export async function revokeEverywhere(
  open: () => Promise<RealtimePublisher[]>,
  userId: string,
): Promise<string[]> {
  const untold: string[] = []
  const noting = (where: string) => (error: unknown) => {
    untold.push(`${where} (${error instanceof Error ? error.message : error})`)
  }
  const publishers = await open().catch((error: unknown) => {
    noting("every provider")(error)
    return []
  })
  await Promise.all(
    publishers.map(({ provider, revoke, close }) => revoke(userId).finally(close).catch(noting(provider))),
  )
  return untold
}
