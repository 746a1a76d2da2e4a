// A still of the camera, small enough for a line that carries nothing else.

const WIDTH = 320;
const QUALITY = 0.5;

export class Camera {
  readonly #video = document.createElement("video");

  /** Null while there is no picture. */
  async still(stream: MediaStream): Promise<Blob | null> {
    const video = this.#video;
    if (video.srcObject !== stream) {
      video.muted = true;
      video.srcObject = stream;
      await video.play().catch(() => undefined);
    }
    if (video.videoWidth === 0) return null;
    const canvas = document.createElement("canvas");
    canvas.width = WIDTH;
    canvas.height = Math.round((WIDTH * video.videoHeight) / video.videoWidth);
    canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  }

  close(): void {
    this.#video.srcObject = null;
  }
}
