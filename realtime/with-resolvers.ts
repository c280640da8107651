/** `Promise.withResolvers`, which the oldest browsers that are served lack. */
export function withResolvers<T>(): PromiseWithResolvers<T> {
  let settle: Omit<PromiseWithResolvers<T>, "promise"> | undefined
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  // The function above runs before the constructor returns.
  return { promise, ...(settle as Omit<PromiseWithResolvers<T>, "promise">) }
}
