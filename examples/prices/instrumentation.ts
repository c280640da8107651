export async function register() {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { realtime } = await import("./realtime/server.ts")
    await realtime.register()
    // Of several processes one has the feed; functions have none (README.md).
    if (process.env.FEED !== "elsewhere") await (await import("./realtime/feed.ts")).startFeed()
  }
}
