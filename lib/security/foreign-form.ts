/**
 * The answer to a form of a page whose origin isn't one that the server knows itself by: another site's, or our own behind a proxy that keeps
 * the host to itself. A browser without our scripts shows it as it is; to ours Next.js hands it on as the message of the action's error.
 */
export const foreignFormAnswer =
  "This server doesn't know the address that the page was opened at, so it takes no form from there. Whoever runs it: let the proxy say " +
  "which host was asked for (X-Forwarded-Host), or set APP_ORIGIN to that address."

/** Browser: the error of an action that was answered so. */
export const isForeignForm = (error: object): boolean =>
  "message" in error && error.message === foreignFormAnswer
