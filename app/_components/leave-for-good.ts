import { unstable_rethrow } from "next/navigation"
import { logError } from "throughline"
import { forgetOutbox } from "throughline/client"
import { forgetPerson, personalStorage } from "#lib/chat/personal-storage.ts"

/**
 * Browser: signs a guest out, and takes away all that is theirs here, as what they wrote or attached and hadn't sent: nobody can be this guest
 * again. It stays where they couldn't be signed out, and where their session has merely expired or is another's by now; of that the answer tells.
 */
export async function leaveForGood<Answer>(
  owner: string,
  signOut: (owner: string) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await signOut(owner)
  } catch (error) {
    // Where they were signed out, it leads elsewhere; else the server wasn't reached, or has failed.
    if (leadsElsewhere(error)) await forget(owner)
    throw error
  }
}

/** Next.js throws its redirects, and tells them from failures. */
function leadsElsewhere(error: unknown): boolean {
  try {
    unstable_rethrow(error)
    return false
  } catch {
    return true
  }
}

async function forget(owner: string): Promise<void> {
  forgetPerson(owner)
  async function forgetFiles() {
    const { forgetKeptFiles } = await import("#lib/files/kept-files.ts")
    await forgetKeptFiles(owner)
    personalStorage(owner, "hasFiles").write(null)
  }
  const report = (error: unknown) => logError(error, { stage: "take away what was not sent" })
  await Promise.all([forgetOutbox(owner).catch(report), forgetFiles().catch(report)])
}
