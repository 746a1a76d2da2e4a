// What the browser says of the way that sound and picture take, out of `getStats`.

export interface Stats {
  /** The server answered on that way within the last seconds */
  readonly fresh: boolean;
  /** Device time of the last answer seen: up to then what was sent arrived */
  readonly heardAt: number;
  readonly outgoing: number | null;
  readonly rttMs: number | null;
  readonly loss: number | null;
}

/** Reports come about once a second; three missed ones are a broken way, before ICE says so. */
const FRESH_MS = 3_500;

type Entry = Record<string, unknown> & { readonly type: string };

export class Probe {
  #peer: RTCPeerConnection | undefined;
  #heard = "";
  #heardAt = 0;

  async look(peer: RTCPeerConnection | undefined, at: number): Promise<Stats> {
    if (peer !== this.#peer) [this.#peer, this.#heard, this.#heardAt] = [peer, "", at];
    const none: Stats = { fresh: false, heardAt: this.#heardAt, outgoing: null, rttMs: null, loss: null };
    if (!peer) return none;
    const all = [...((await peer.getStats()) as unknown as Map<string, Entry>).values()];
    const remote = all.filter(({ type }) => type === "remote-inbound-rtp");
    const pair = all.find((entry) => entry.type === "candidate-pair" && entry["nominated"] === true);
    // Received bytes of the transport hold feedback of any kind, also that of a browser without reports.
    const heard = `${number(pair?.["bytesReceived"])}/${number(pair?.["responsesReceived"])}`;
    if (heard !== this.#heard) [this.#heard, this.#heardAt] = [heard, at];
    const trips = [pair?.["currentRoundTripTime"], ...remote.map((entry) => entry["roundTripTime"])].map(number).filter((trip) => trip !== null);
    const video = remote.find((entry) => entry["kind"] === "video");
    return {
      fresh: at - this.#heardAt < FRESH_MS,
      heardAt: this.#heardAt,
      outgoing: number(pair?.["availableOutgoingBitrate"]),
      rttMs: trips.length > 0 ? Math.max(...trips) * 1_000 : null,
      loss: number(video?.["fractionLost"]),
    };
  }
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
