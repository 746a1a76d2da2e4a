/** 256 bits of the browser's randomness. */
function bits256(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32));
}

/** 64 lower-case hex digits: this side's half of the draw. */
export function nonce(): string {
  return Array.from(bits256(), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** base64url without padding. */
export function deviceKey(): string {
  return btoa(String.fromCharCode(...bits256())).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** 0..1 for jitter; no secret hangs on it. */
export function chance(): number {
  return Math.random();
}
