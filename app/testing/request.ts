/**
 * The request under way, in place of `next/headers` and `next/cache`, which know it only within Next.js:
 * `vi.mock("next/headers", () => import("./testing/request.ts"))`. Imports nothing: what a module stands in for waits for it.
 */
export const request = { cookies: new Map<string, string>(), headers: new Headers() }

export const headers = async () => request.headers

export const cookies = async () => ({
  get: (name: string) => {
    const value = request.cookies.get(name)
    return value === undefined ? undefined : { name, value }
  },
  set: (name: string, value: string) => void request.cookies.set(name, value),
})

export const revalidatePath = () => {}
