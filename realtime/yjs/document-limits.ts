import type { TransportCapabilities } from "../capabilities.ts"
import type { UpdateLimits } from "./update-sender.ts"

/** What of a message isn't its update: the envelope, and the names of the payload's fields. */
const envelopeBytes = 400
/** Where nobody knows the provider yet: what goes through each of them. */
const unknown = { maxDeliveryBytes: 10_000, publishesOverConnection: false }

/**
 * How a provider takes updates: as large as it delivers at once, and as often as it costs little. Where each
 * message is a request of its own, and billed to everybody who gets it, fewer are sent.
 */
export function limitsOf(
  capabilities: Pick<TransportCapabilities, "maxDeliveryBytes" | "publishesOverConnection"> | null,
  maxPayloadBytes: number,
): UpdateLimits {
  const { maxDeliveryBytes, publishesOverConnection } = capabilities ?? unknown
  // Base64 makes four bytes of three.
  const maxBytes = Math.floor(((Math.min(maxDeliveryBytes, maxPayloadBytes) - envelopeBytes) * 3) / 4)
  return { maxBytes: Math.max(1, maxBytes), windowMs: publishesOverConnection ? 100 : 250 }
}
