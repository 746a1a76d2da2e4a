// Voices of this system. They come late in some browsers, and not at all in others.
import type { Lang } from "../../../shared/src/wire/Lang.ts";

/** The first voice of a language; a voice of this machine before one that a far service speaks. */
export function voiceOf(lang: Lang, voices: readonly SpeechSynthesisVoice[]): SpeechSynthesisVoice | undefined {
  const speaks = voices.filter((voice) => voice.lang.toLowerCase().split(/[-_]/)[0] === lang);
  return speaks.find((voice) => voice.localService) ?? speaks[0];
}

/** After what is being said; nothing where no voice speaks the language. `ended`: it was said, or broken off. */
export function say(text: string, lang: Lang, ended?: () => void): void {
  const voice = voiceOf(lang, speechSynthesis.getVoices());
  if (!voice) return;
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.lang = lang;
  utterance.voice = voice;
  if (ended) utterance.onend = utterance.onerror = ended;
  speechSynthesis.speak(utterance);
}

export const stopSaying = (): void => globalThis.speechSynthesis?.cancel();

/** Tells the voice now and whenever the system's list changes. */
export function followVoice(lang: Lang, tell: (voice: SpeechSynthesisVoice | undefined) => void): () => void {
  const speech = globalThis.speechSynthesis as SpeechSynthesis | undefined;
  const look = (): void => tell(speech && voiceOf(lang, speech.getVoices()));
  look();
  speech?.addEventListener?.("voiceschanged", look);
  return () => speech?.removeEventListener?.("voiceschanged", look);
}
