// The relay that an answer to an offer names (RFC 9725, section 4.6), for networks that let neither UDP nor TCP through.

/** As the server writes it: an address, a name and a password that last for an exam. */
const RELAY = /<([^>]+)>; rel="ice-server"; username="([^"]*)"; credential="([^"]*)"/g;

/** What the answer's `Link` headers say; nothing where no relay is configured. */
export function relaysOf(link: string | null): RTCIceServer[] {
  return [...(link ?? "").matchAll(RELAY)].map(([, urls = "", username = "", credential = ""]) => ({ urls, username, credential }));
}

/** The offer was sent before anything was gathered: now the browser learns where else it may go, and begins. */
export async function begin(peer: RTCPeerConnection, offer: RTCSessionDescriptionInit, relays: RTCIceServer[], answer: string): Promise<void> {
  if (relays.length > 0) peer.setConfiguration({ ...peer.getConfiguration(), iceServers: relays });
  await peer.setLocalDescription(offer);
  await peer.setRemoteDescription({ type: "answer", sdp: answer });
}
