// Pictures for the proctor: taken from the camera or made small enough from a file.

/** wire/limits.rs PHOTO_BYTES */
export const PHOTO_BYTES = 5 * 1024 * 1024;
/** Long side of a picture made smaller here: a document stays readable. */
const SIDE_PX = 2_400;
const QUALITY = 0.9;

function jpeg(source: CanvasImageSource, width: number, height: number): Promise<Blob | null> {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.drawImage(source, 0, 0, width, height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
}

/** The picture shown now, not mirrored; `null` while there is none. */
export async function shot(video: HTMLVideoElement): Promise<Blob | null> {
  return video.videoWidth > 0 ? jpeg(video, video.videoWidth, video.videoHeight) : null;
}

/** A file as it is, or smaller if it is too large to send. What is no picture goes as it is: the server says so. */
export async function fitting(file: File): Promise<Blob> {
  if (file.size <= PHOTO_BYTES) return file;
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, SIDE_PX / Math.max(bitmap.width, bitmap.height));
    return (await jpeg(bitmap, Math.round(bitmap.width * scale), Math.round(bitmap.height * scale))) ?? file;
  } catch {
    return file;
  }
}
