/** So long a link brings its owner in on one more device. */
export const deviceLinkMinutes = 10
