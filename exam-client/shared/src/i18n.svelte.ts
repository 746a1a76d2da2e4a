import { format, type Args, type Message } from "./i18n.ts";
import type { Lang } from "./wire/Lang.ts";

/** Loads all messages of one language; several files are merged by the caller. */
export type Loader<K extends string> = (lang: Lang) => Promise<Readonly<Record<K, Message>>>;

/** The language in use and its messages; components that call `t` follow a change of language. */
export class I18n<K extends string> {
  lang = $state<Lang>("kk");
  ready = $state(false);
  #messages = $state.raw<Readonly<Record<string, Message>>>({});
  #wanted: Lang = "kk";
  readonly #load: Loader<K>;

  constructor(load: Loader<K>) {
    this.#load = load;
  }

  /** Switches; of two calls the later one wins, whichever file arrives first. */
  async use(lang: Lang): Promise<void> {
    this.#wanted = lang;
    const messages = await this.#load(lang);
    if (this.#wanted !== lang) return;
    this.#messages = messages;
    this.lang = lang;
    this.ready = true;
    document.documentElement.lang = lang;
  }

  /** The text of a key. */
  t = (key: K, args?: Args): string => {
    const message = this.#messages[key];
    return message === undefined ? key : format(this.lang, message, args);
  };

  /** For keys made from data (`code.CAMERA_OFF`): the text, or nothing if there is none. */
  maybe = (key: string, args?: Args): string | undefined => {
    const message = this.#messages[key];
    return message === undefined ? undefined : format(this.lang, message, args);
  };
}
