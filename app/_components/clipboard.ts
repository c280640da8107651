/** Browsers give the clipboard to secure pages alone: on plain HTTP, as from a phone on the same network, there is none. */
export const hasClipboard = () => "clipboard" in navigator
