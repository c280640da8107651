/**
 * How a form that can't be taken is answered before Next.js sees it. A browser without our scripts shows it as it is; to ours Next.js hands it
 * on, under the type `text/plain` alone, as the message of the action's error.
 */
const refusedForms = {
  "invalid-request": { status: 400, text: "This form can't be read." },
  "message-too-large": { status: 413, text: "This form is too long." },
} as const

export type FormRefusal = keyof typeof refusedForms

export const answerToForm = (refusal: FormRefusal) => ({
  ...refusedForms[refusal],
  headers: { "content-type": "text/plain" },
})

/** Browser: why a form was refused, by the error of its action; undefined of every other error. */
export function formRefusalOf(error: object): FormRefusal | undefined {
  if (!("message" in error)) return undefined
  return (Object.keys(refusedForms) as FormRefusal[]).find(
    (kind) => refusedForms[kind].text === error.message,
  )
}
