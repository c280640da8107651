import type { OnError } from "../errors.ts"
import type { JoinedChannel } from "../joined-channels.ts"
import type { Candidate } from "./candidate.ts"
import { createLink, type Link } from "./failover-link.ts"

/** The link in use, and the one that is opened beside it to take over. */
export interface Links {
  readonly active: Link
  readonly all: readonly [active: Link, ...standby: Link[]]
  /** Opens the standby, and connects it. */
  raise(candidate: Candidate): void
  /** Closes the standby. */
  drop(): void
  /** The standby is the active one from now on; the one before is closed. */
  promote(): void
}

/** `channels`: what a link joins when it is opened. */
export function createLinks(
  first: Candidate,
  channels: Iterable<JoinedChannel>,
  onChange: (news: Link["news"]) => void,
  onError: OnError,
): Links {
  let all: Links["all"] = [open(first)]

  function open(candidate: Candidate): Link {
    const link = createLink(candidate, () => all, onChange, onError)
    for (const channel of channels) link.join(channel)
    return link
  }

  return {
    get active() {
      return all[0]
    },
    get all() {
      return all
    },
    raise(candidate) {
      const standby = open(candidate)
      all = [all[0], standby]
      standby.transport.connect()
    },
    drop() {
      const [active, standby] = all
      all = [active]
      void standby?.transport.close()
    },
    promote() {
      const [previous, next] = all as [Link, Link]
      all = [next]
      for (const channel of channels) next.present(channel)
      void previous.transport.close()
    },
  }
}
