import type { ChainedCommands } from "@tiptap/react"
import { Bold, Heading, Italic, List, ListOrdered, Redo2, Undo2 } from "lucide-react"

const run = (command: (chain: ChainedCommands) => ChainedCommands) => command

/** But for the first two the name is what the text at the caret is then. */
export const tools = [
  { name: "undo", Icon: Undo2, run: run((chain) => chain.undo()) },
  { name: "redo", Icon: Redo2, run: run((chain) => chain.redo()) },
  { name: "heading", Icon: Heading, run: run((chain) => chain.toggleHeading({ level: 2 })) },
  { name: "bold", Icon: Bold, run: run((chain) => chain.toggleBold()) },
  { name: "italic", Icon: Italic, run: run((chain) => chain.toggleItalic()) },
  { name: "bulletList", Icon: List, run: run((chain) => chain.toggleBulletList()) },
  { name: "orderedList", Icon: ListOrdered, run: run((chain) => chain.toggleOrderedList()) },
] as const
