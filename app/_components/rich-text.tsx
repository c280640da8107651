"use client"
import { clsx } from "clsx"
import { createContext, memo, type ReactNode, useContext } from "react"
import { isEmoji } from "#lib/chat/emoji.ts"
import { type Mentioned, parseRichText, type RichBlock, type RichInline } from "#lib/chat/rich-text.ts"
import { graphemesOf } from "#lib/i18n/graphemes.ts"

/** So few emoji and nothing else are shown large. */
const fewEmoji = 3

export function isFewEmoji(text: string): boolean {
  if (text.length > 100) return false
  const signs = graphemesOf(text).filter((sign) => sign !== " ")
  return signs.length > 0 && signs.length <= fewEmoji && signs.every(isEmoji)
}

/** What people are called, by their ids, the present name last: messages name whom they mention by id, and keep the name of then. */
export const PeopleContext = createContext<ReadonlyMap<string, readonly string[]>>(new Map())

/** What tells those apart whose names could be mistaken for one another, by their ids. */
export const NameMarksContext = createContext<ReadonlyMap<string, string>>(new Map())

interface RichTextProps {
  text: string
  /** Ids of the people who are mentioned. */
  mentions?: readonly string[] | undefined
  /** The reader: mentions of oneself stand out. */
  me: { id: string; name: string }
  className?: string
}

/**
 * What a person typed, as text with its marks: nothing in it is ever markup. Overrides of direction end with the line they
 * stand in, and marks piled up on a letter don't leave the message.
 */
export const RichText = memo(function RichText({ text, mentions, me, className }: RichTextProps) {
  const people = useContext(PeopleContext)
  const mentioned = (mentions ?? []).flatMap((id): Mentioned[] =>
    [...(people.get(id) ?? []), ...(id === me.id ? [me.name] : [])].map((name) => ({ id, name })),
  )
  return (
    <div
      dir="auto"
      className={clsx(
        "grid min-w-0 max-w-full gap-1.5 overflow-clip leading-relaxed [overflow-clip-margin:4px]",
        isFewEmoji(text) && "text-4xl",
        className,
      )}
    >
      <Blocks blocks={parseRichText(text, mentioned)} me={me.id} />
    </div>
  )
})

function Blocks({ blocks, me }: { blocks: readonly RichBlock[]; me: string }) {
  return blocks.map((block, index) => <Block key={keyOf(block, index)} block={block} me={me} />)
}

/** A message is drawn anew as a whole when it changes. */
const keyOf = ({ kind }: { kind: string }, index: number) => `${kind} ${index}`

const tint = "bg-[color-mix(in_srgb,currentColor_9%,transparent)]"

function Block({ block, me }: { block: RichBlock; me: string }): ReactNode {
  switch (block.kind) {
    case "paragraph":
      // Each line has its own direction.
      return (
        <p className="whitespace-pre-wrap [text-wrap-style:auto] [unicode-bidi:plaintext] [word-break:normal]">
          <Inlines nodes={block.children} me={me} />
        </p>
      )
    case "quote":
      return (
        <blockquote className="grid gap-1.5 border-current/40 border-s-2 ps-2.5">
          <Blocks blocks={block.children} me={me} />
        </blockquote>
      )
    case "code-block":
      return (
        <pre
          dir="ltr"
          className={clsx(
            tint,
            "whitespace-pre-wrap rounded-lg px-2.5 py-2 font-mono text-[0.875em] leading-normal",
          )}
        >
          {block.language !== "" && (
            <span className="block select-none pb-1 font-sans text-xs">{block.language}</span>
          )}
          <code>{block.text}</code>
        </pre>
      )
  }
}

function Inlines({ nodes, me }: { nodes: readonly RichInline[]; me: string }) {
  return nodes.map((node, index) => <Inline key={keyOf(node, index)} node={node} me={me} />)
}

function Inline({ node, me }: { node: RichInline; me: string }): ReactNode {
  switch (node.kind) {
    case "text":
      return node.text
    case "strong":
      return (
        <strong className="font-bold">
          <Inlines nodes={node.children} me={me} />
        </strong>
      )
    case "emphasis":
      return (
        <em className="italic">
          <Inlines nodes={node.children} me={me} />
        </em>
      )
    case "strike":
      return (
        <del className="line-through">
          <Inlines nodes={node.children} me={me} />
        </del>
      )
    case "code":
      return (
        <code dir="ltr" className={clsx(tint, "rounded px-1 py-0.5 font-mono text-[0.875em]")}>
          {node.text}
        </code>
      )
    case "link":
      // An override before it can't turn the address around.
      return (
        <a
          dir="ltr"
          href={node.url}
          target="_blank"
          rel="noopener noreferrer nofollow"
          className="underline underline-offset-2 hover:decoration-2"
        >
          {node.text}
        </a>
      )
    case "mention":
      return <Mention id={node.id} text={node.text} isMe={node.id === me} />
  }
}

function Mention({ id, text, isMe }: { id: string; text: string; isMe: boolean }) {
  const mark = useContext(NameMarksContext).get(id)
  return (
    <bdi
      data-mention={isMe ? "me" : "other"}
      className={clsx("rounded px-1 font-semibold", isMe ? "bg-warn-soft text-warn" : tint)}
    >
      {text}
      {mark !== undefined && <span className="ps-1 font-mono font-normal text-[0.85em]">#{mark}</span>}
    </bdi>
  )
}
