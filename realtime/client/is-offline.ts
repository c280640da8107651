/** Browser: whether there is surely no network. */
export const isOffline = () => typeof navigator !== "undefined" && navigator.onLine === false
