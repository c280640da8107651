import { emulators, notInstalled, toImportError } from "../optional-packages.ts"

/**
 * The vendors' SDKs and the rest of what an app installs only where it uses it. Each import stands in a `try`
 * of its own, so that bundlers, which follow all of them, pass over those that aren't installed.
 */
export const peers = {
  async ably() {
    try {
      const { Rest } = await import("ably")
      return { Rest: there(Rest, ["ably"]) }
    } catch (cause) {
      throw toImportError(["ably"], cause)
    }
  },
  async pusher() {
    const packages = ["pusher", "pusher-js"]
    try {
      return there((await import("pusher")).default, packages)
    } catch (cause) {
      throw toImportError(packages, cause)
    }
  },
  async pg() {
    try {
      return there((await import("pg")).default, ["pg"])
    } catch (cause) {
      throw toImportError(["pg"], cause)
    }
  },
  async socketIo() {
    const packages = ["socket.io", "socket.io-client"]
    // `ws` looks for two packages that make it a little faster. Webpack puts an empty module in the place of
    // one that isn't there, which `ws` would take for the package. These are its own switches:
    // https://github.com/websockets/ws/blob/master/doc/ws.md#environment-variables
    process.env.WS_NO_BUFFER_UTIL ??= "1"
    process.env.WS_NO_UTF_8_VALIDATE ??= "1"
    try {
      return there((await import("socket.io")).Server, packages)
    } catch (cause) {
      throw toImportError(packages, cause)
    }
  },
  async pusherEmulator() {
    try {
      return there((await import("throughline-emulators/pusher")).startPusherEmulator, [emulators])
    } catch (cause) {
      throw toImportError([emulators], cause)
    }
  },
  async ablyEmulator() {
    try {
      return there((await import("throughline-emulators/ably")).startAblyEmulator, [emulators])
    } catch (cause) {
      throw toImportError([emulators], cause)
    }
  },
}

function there<Value>(value: Value | undefined, packages: readonly string[]): Value {
  if (value === undefined) throw notInstalled(packages[0] ?? "", packages)
  return value
}
