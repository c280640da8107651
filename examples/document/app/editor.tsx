"use client"
import { Toolbar } from "@base-ui/react/toolbar"
import { Collaboration } from "@tiptap/extension-collaboration"
import { EditorContent, Extension, useEditor, useEditorState } from "@tiptap/react"
import { StarterKit } from "@tiptap/starter-kit"
import { yCursorPlugin } from "@tiptap/y-tiptap"
import { useRouter } from "next/navigation"
import { useEffect } from "react"
import { useUser } from "throughline/react"
import type { SharedAwareness } from "throughline/yjs"
import type { DocumentView } from "throughline/yjs/react"
import { field } from "./seed.ts"
import { type Language, texts } from "./texts.ts"
import { tools } from "./tools.ts"

/** White can be read on each. */
const colours = ["#b91c1c", "#c2410c", "#a16207", "#15803d", "#0f766e", "#1d4ed8", "#7c3aed", "#be185d"]
const tool = "rounded-lg p-2 hover:bg-neutral-500/10 aria-pressed:bg-neutral-500/25 data-disabled:opacity-40"
const bar = "sticky top-0 z-10 my-2 flex bg-white py-1 dark:bg-neutral-950"
const sheet =
  "min-h-96 overflow-x-clip wrap-anywhere rounded-xl border border-current/30 p-5 outline-blue-500"
const button = "mt-2 mr-2 rounded-lg border border-current px-3 py-1"

type Props = Pick<SharedAwareness, "awareness"> & { shared: DocumentView; lang: Language }

export function Editor({ shared, awareness, lang }: Props) {
  const { title, toolbar, tools: names, you, refused, tooLarge, copy, discard } = texts[lang]
  const { canWrite, status } = shared
  const router = useRouter()
  const [name, color] = [useUser()?.name, colours[awareness.clientID % colours.length]]
  useEffect(() => awareness.setLocalStateField("user", { name, color }), [awareness, name, color])
  const editor = useEditor({
    extensions: [
      // Its undoing is of everybody's steps. Its last paragraph would be written by whoever merely looks.
      StarterKit.configure({ undoRedo: false, trailingNode: false, link: false }),
      Collaboration.configure({ document: awareness.doc, field }),
      Extension.create({ name: "carets", addProseMirrorPlugins: () => [yCursorPlugin(awareness)] }),
    ],
    editorProps: { attributes: { class: sheet, "aria-label": title } },
    immediatelyRender: true,
  })
  useEffect(() => editor.setEditable(canWrite), [editor, canWrite])
  const { heading, people, can, is } = useEditorState({
    editor,
    selector: ({ editor }) => ({
      heading: editor.state.doc.firstChild?.textContent,
      people: [...awareness.getStates()].flatMap(([page, { user }]) => (user ? [{ page, ...user }] : [])),
      can: tools.map(({ run }) => run(editor.can().chain()).run()),
      is: tools.map(({ name }) => editor.isActive(name)),
    }),
  })

  function copyAll(): void {
    editor.commands.selectAll()
    getSelection()?.selectAllChildren(editor.view.dom)
    // Unlike the newer `navigator.clipboard` it takes headings and lists along, and works over plain HTTP.
    document.execCommand("copy")
  }

  function discardAll(): void {
    shared.document?.discardLocal()
    // Whoever was refused once may be here for reading only by now.
    router.refresh()
  }

  return (
    <>
      <title>{heading || title}</title>
      {status.state === "diverged" && (
        <div className="my-3 rounded-xl bg-red-700 p-4 text-sm text-white" role="alert">
          <p>{status.error?.code === "message-too-large" ? tooLarge : refused}</p>
          <button className={button} onClick={copyAll} type="button">
            {copy}
          </button>
          <button className={button} onClick={discardAll} type="button">
            {discard}
          </button>
        </div>
      )}
      <ul className="flex flex-wrap gap-1 text-white text-xs">
        {people.map(({ page, name, color }) => (
          <li className="rounded-full px-2 py-0.5" key={page} style={{ backgroundColor: color }}>
            {page === awareness.clientID ? you(name) : name}
          </li>
        ))}
      </ul>
      <Toolbar.Root aria-label={toolbar} className={bar} disabled={!canWrite}>
        {tools.map(({ name, Icon, run }, n) => (
          <Toolbar.Button
            aria-label={names[name]}
            aria-pressed={n > 1 ? is[n] : undefined}
            className={tool}
            disabled={!can[n]}
            key={name}
            onClick={() => run(editor.chain().focus()).run()}
            title={names[name]}
          >
            <Icon aria-hidden className="size-5" />
          </Toolbar.Button>
        ))}
      </Toolbar.Root>
      <EditorContent editor={editor} />
    </>
  )
}
