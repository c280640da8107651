export async function register() {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { realtime } = await import("./realtime/server")
    await realtime.register()
  }
}
