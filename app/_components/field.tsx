"use client"
import { useTranslations } from "next-intl"
import { type ComponentProps, useEffect, useRef, useState } from "react"
import { lengthOf, visibleText } from "#lib/chat/visible-text.ts"
import { Counter } from "./counter.tsx"

const warnAt = 10
const sayEvery = 5

interface Props extends Omit<ComponentProps<"input">, "maxLength" | "onChange" | "ref"> {
  label: string
  id: string
  defaultValue?: string | undefined
  /** So many characters at most. What is longer, as when it was pasted, is kept whole, and isn't sent. */
  max: number
  error?: string | undefined
}

/** A text field with its label, how much more it takes, and what is wrong with it. */
export function Field({ label, error, id, max, defaultValue = "", ...props }: Props) {
  const t = useTranslations("length")
  const field = useRef<HTMLInputElement>(null)
  const [text, setText] = useState(defaultValue)
  const left = max - lengthOf(visibleText(text))
  // What was wrong with another text is no news of this one.
  const fault = left >= 0 && text === defaultValue ? error : undefined
  const refusal = left < 0 ? t("tooLong", { max }) : ""
  // The browser says it to whoever sends the form, and doesn't send it.
  useEffect(() => field.current?.setCustomValidity(refusal), [refusal])
  // What was typed before the page came alive stands in the field already.
  useEffect(() => setText(field.current?.value ?? ""), [])
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="font-medium text-sm">
        {label}
      </label>
      <input
        ref={field}
        id={id}
        className="min-h-11 w-full rounded-xl border border-line bg-background px-3.5 text-base placeholder:text-muted"
        aria-invalid={fault || left < 0 ? true : undefined}
        aria-describedby={left < 0 ? `${id}-limit` : fault ? `${id}-error` : undefined}
        autoComplete="off"
        defaultValue={defaultValue}
        onChange={(event) => setText(event.currentTarget.value)}
        {...props}
      />
      <p id={`${id}-limit`} className="flex text-muted text-xs has-[:first-child:empty]:sr-only">
        <Counter left={left} max={max} warnAt={warnAt} sayEvery={sayEvery} />
      </p>
      {fault && (
        <p id={`${id}-error`} role="alert" className="text-bad text-sm">
          {fault}
        </p>
      )}
    </div>
  )
}
