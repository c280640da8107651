/** Browsers give the clipboard to secure pages alone: on plain HTTP, as from a phone on the same network, there is none. */
export const hasClipboard = () => "clipboard" in navigator

/** Puts a text into the clipboard. False where there is none, or the browser doesn't allow it. */
export const copyText = async (text: string): Promise<boolean> =>
  hasClipboard() &&
  // eslint-disable-next-line no-restricted-properties -- asked for above
  navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  )
