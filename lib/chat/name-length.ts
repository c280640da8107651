/** So long a guest's name may be. */
export const maxNameLength = 40
