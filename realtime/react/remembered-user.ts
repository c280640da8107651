import type { OnError } from "../errors.ts"
import { parseUser, type User } from "../message.ts"

const prefix = "throughline.user:"
const doing = "remember who is signed in"

/** Whoever refuses to keep anything throws as soon as it is asked for its storage. */
function attempt<Result>(onError: OnError, otherwise: Result, task: () => Result): Result {
  try {
    return task()
  } catch (error) {
    onError(error, { stage: doing })
    return otherwise
  }
}

/** What can't be read, since somebody changed it by hand, is nobody. */
function parse(kept: string | null): User | null {
  try {
    return kept === null ? null : parseUser(JSON.parse(kept))
  } catch {
    return null
  }
}

/** Browser: whom this browser's last answer named, by the path of the route; null for nobody. */
export const recallUser = (basePath: string, onError: OnError): User | null =>
  attempt(onError, null, () => parse(window.localStorage.getItem(prefix + basePath)))

/** Browser: takes what the server has said, for when it can't be asked; nobody isn't remembered. */
export function rememberUser(basePath: string, user: User | null, onError: OnError): void {
  attempt(onError, undefined, () => {
    if (user) window.localStorage.setItem(prefix + basePath, JSON.stringify(user))
    else window.localStorage.removeItem(prefix + basePath)
  })
}

/** Browser: calls back when another tab was told of somebody else. Returns how to stop it. */
export function onOtherUser(listener: () => void): () => void {
  if (typeof window === "undefined") return () => {}
  // Without a key all was taken away.
  const onStorage = ({ key }: StorageEvent) => (key === null || key.startsWith(prefix)) && listener()
  window.addEventListener("storage", onStorage)
  return () => window.removeEventListener("storage", onStorage)
}

/**
 * Browser: forgets who was signed in here, for a sign-out that leads to a page without `<Throughline>`. A
 * page that has it forgets them by itself, once the server says that they are gone. Until either, a page that
 * is opened without a network is theirs.
 */
export function forgetUser(): void {
  try {
    for (const key of Object.keys(window.localStorage))
      if (key.startsWith(prefix)) window.localStorage.removeItem(key)
  } catch {
    // A browser that refuses its storage has remembered nobody.
  }
}
