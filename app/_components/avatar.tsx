import { clsx } from "clsx"
import { visibleText } from "#lib/chat/visible-text.ts"
import { graphemesOf } from "#lib/i18n/graphemes.ts"

/** A colour that belongs to an id, always the same. */
function hueOf(id: string): number {
  let hash = 0
  for (const character of id) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0
  return hash % 360
}

const firstCharacter = (name: string) =>
  graphemesOf(name)
    .find((character) => visibleText(character) !== "")
    ?.toUpperCase() ?? "?"

/** Somebody's sign: the first character of their name on their own colour. The name itself is said beside it. */
export function Avatar({
  id,
  name,
  isAway = false,
  size = 36,
}: {
  id: string
  name: string
  isAway?: boolean
  size?: number
}) {
  const hue = hueOf(id)
  return (
    <span
      aria-hidden="true"
      data-testid="avatar"
      className={clsx(
        "grid shrink-0 select-none place-items-center rounded-full font-semibold print:invisible",
        isAway && "opacity-45",
      )}
      style={{
        width: size,
        height: size,
        fontSize: size * 0.42,
        background: `linear-gradient(140deg, oklch(0.68 0.14 ${hue}), oklch(0.52 0.16 ${(hue + 40) % 360}))`,
        color: "white",
      }}
    >
      {firstCharacter(name)}
    </span>
  )
}
