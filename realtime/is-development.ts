/** No variable, but a constant that bundlers and programs put in place: without one nobody develops. */
// biome-ignore lint/style/noProcessEnv: see above
export const isDevelopment = () => typeof process !== "undefined" && process.env.NODE_ENV === "development"
