/** So long an invitation link works, in days from when it was made. */
export const invitationDays = 7
