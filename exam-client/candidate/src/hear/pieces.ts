// The microphone's sound where the browser has no way out for any: without a loudspeaker Firefox never starts an
// AudioContext (it waits for the device that would play it), and a microphone that works would count as silent. Short
// pieces are recorded and decoded instead, which asks no device for anything. Loaded when it is needed.

/** Longer than a syllable, shorter than a person's patience with a meter. */
const PIECE_MS = 600;
const RATE = 48_000;

/** Hands on the samples of piece after piece; until the answer is called, or the microphone has ended. */
export function hear(stream: MediaStream, heard: (samples: Float32Array) => void): () => void {
  const sound = new MediaStream(stream.getAudioTracks());
  const decoder = new OfflineAudioContext(1, 1, RATE);
  let over = false;
  let recorder: MediaRecorder | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const next = (): void => {
    if (over || sound.getTracks().every((track) => track.readyState === "ended")) return;
    const parts: Blob[] = [];
    const piece = (recorder = new MediaRecorder(sound));
    piece.ondataavailable = ({ data }) => parts.push(data);
    piece.onstop = () => {
      next();
      void look(parts);
    };
    piece.start();
    timer = setTimeout(() => piece.state === "recording" && piece.stop(), PIECE_MS);
  };
  const look = async (parts: Blob[]): Promise<void> => {
    try {
      const decoded = await decoder.decodeAudioData(await new Blob(parts).arrayBuffer());
      if (!over) heard(decoded.getChannelData(0));
    } catch {
      // A piece that ended before it held anything.
    }
  };
  next();
  return () => {
    over = true;
    clearTimeout(timer);
    if (recorder?.state === "recording") recorder.stop();
  };
}
