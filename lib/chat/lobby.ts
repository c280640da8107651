/** Where a newcomer lands. What it is called is the interface's to say, in the reader's language. */
export const lobbyId = "lobby"
