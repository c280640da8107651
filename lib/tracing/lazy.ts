import type { OnError } from "throughline"
import type { MessageFollower } from "throughline/client"

type Follow = (onError: OnError) => MessageFollower

/** Browser: follows messages once the code for that is there. Those before it aren't followed. */
export function createLazyFollower(load: () => Promise<Follow>): Follow {
  return (onError) => {
    let follower: MessageFollower | null = null
    load().then(
      (follow) => {
        follower = follow(onError)
      },
      (error: unknown) => onError(error, { stage: "load the code for traces" }),
    )
    return {
      send: (channel, messages, deliver) =>
        follower ? follower.send(channel, messages, deliver) : deliver(messages),
      receive: (messages, hand) => (follower ? follower.receive(messages, hand) : hand()),
    }
  }
}
