import type { ComponentProps } from "react"
import { Notice } from "./notice.tsx"
import { OpenSidebarButton } from "./shell.tsx"
import { ToastPlace } from "./toast.tsx"

/** A notice where a room would be, beside the list of rooms. */
export function NoticeInShell(props: ComponentProps<typeof Notice>) {
  return (
    // What was focused in it may be gone: then it is.
    <main tabIndex={-1} className="flex min-h-0 flex-1 flex-col overflow-y-auto outline-none">
      <div className="p-2">
        <OpenSidebarButton />
      </div>
      <div className="grid flex-1 place-items-center p-6">
        <Notice {...props} />
      </div>
      <div className="sticky bottom-3 flex h-0 shrink-0 flex-col justify-end px-3">
        <ToastPlace />
      </div>
    </main>
  )
}
