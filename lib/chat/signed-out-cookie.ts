/**
 * What this browser is told at the door: that its guest was signed out here, and that it couldn't be noted. In a cookie, since an address can
 * be sent to others, and the database may be away. It says nothing secret, and the page that has shown it takes it away.
 */
export const signedOutCookie = "throughline_signed_out"

/** For a browser without scripts. */
export const signedOutSeconds = 60
