import { Refusal } from "../refusal.ts"
import { childrenOf, type Node, namesIn, parseModule, withoutComments } from "../syntax.ts"

/**
 * Puts the body of the template's `register` into the one that is there, or the whole function beside what
 * else the file exports. At its end, where what others start there has started; at its beginning, if it may
 * return before. Throws a `Refusal` for a shape in which that might change what the file does.
 */
export function mergeInstrumentation(path: string, text: string, template: string): string {
  const body = template.slice(template.indexOf("{\n") + 2, template.lastIndexOf("}"))
  const end = text.includes("\r\n") ? "\r\n" : "\n"
  const inFile = (inserted: string) => inserted.replaceAll("\n", end)
  const refuse = (why: string) =>
    new Refusal(
      `${path} ${why}`,
      `Add this to its register() yourself, then run init again:\n${body.trimEnd()}`,
    )

  let statements: Node[]
  try {
    statements = parseModule(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw refuse(`can't be read (${error.message})`)
  }
  const found = registerOf(statements)
  if (found === "elsewhere") throw refuse("takes its register from another file")
  // An export among them would make the file a module, in which these assignments mean nothing.
  if (/\bmodule\.exports\b|\bexports\s*[.[]/.test(withoutComments(text)))
    throw refuse("is a CommonJS module, and Next.js reads an exported register()")
  if (!found && statements.some(declaresRegister)) throw refuse("has a register() that it doesn't export")
  if (!found)
    return (
      text + inFile(`${text.endsWith("\n") || text === "" ? "" : "\n"}${text === "" ? "" : "\n"}${template}`)
    )

  const block = found.body as Node
  if (block.type !== "BlockStatement" || found.generator)
    throw refuse("has a register() without a body of statements")
  if (!found.async && found.returnType) throw refuse("has a register() that states its type and isn't async")

  const isFirst = mayReturn(block)
  const at = isFirst ? block.start + 1 : endOfStatements(text, block)
  const lines = `\n${body.trimEnd()}${isFirst ? "" : "\n"}`
  const rest = text.slice(isFirst ? at : block.end - 1)
  const start = found.async
    ? text.slice(0, at)
    : `${text.slice(0, found.start)}async ${text.slice(found.start, at)}`
  return start + inFile(lines) + rest
}

/** Behind the last thing in a block, a comment too, without the space before its brace. */
const endOfStatements = (text: string, block: Node) =>
  block.start + text.slice(block.start, block.end - 1).trimEnd().length

/** The function that the module exports as `register`, if it is written down here. */
function registerOf(statements: readonly Node[]): Node | "elsewhere" | undefined {
  for (const statement of statements) {
    if (statement.type === "ExportAllDeclaration") return "elsewhere"
    if (statement.type !== "ExportNamedDeclaration") continue
    const specifiers = (statement.specifiers ?? []) as { exported: { name?: string } }[]
    if (specifiers.some(({ exported }) => exported.name === "register")) return "elsewhere"
    const declaration = statement.declaration as Node | null
    if (
      declaration?.type === "FunctionDeclaration" &&
      (declaration.id as { name: string }).name === "register"
    )
      return declaration
    for (const { id, init } of (declaration?.declarations ?? []) as {
      id: { name?: string }
      init: Node | null
    }[]) {
      if (id.name !== "register") continue
      return init && /^(ArrowFunction|Function)Expression$/.test(init.type) ? init : "elsewhere"
    }
  }
  return undefined
}

/** Whether a statement gives the name `register` to something in this file, without exporting it. */
const declaresRegister = ({ id, declarations, specifiers, type }: Node): boolean =>
  [
    ...(/^(Function|Class)Declaration$/.test(type) && id ? [id as Node] : []),
    ...((declarations ?? []) as { id: Node }[]).map((declaration) => declaration.id),
    ...(type === "ImportDeclaration" ? (specifiers as { local: Node }[]).map(({ local }) => local) : []),
  ]
    .flatMap(namesIn)
    .includes("register")

/**
 * Whether what stands at the end of the block might not be reached. Functions within return for themselves.
 */
function mayReturn(node: Node): boolean {
  if (node.type === "ReturnStatement" || node.type === "ThrowStatement") return true
  return childrenOf(node).some((child) => !/Function/.test(child.type) && mayReturn(child))
}
