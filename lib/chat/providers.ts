/** What people call them. */
const names: Readonly<Record<string, string>> = { socketio: "Socket.IO", pusher: "Pusher", ably: "Ably" }

export const providerNameOf = (provider: string): string => names[provider] ?? provider
