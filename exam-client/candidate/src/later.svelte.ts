/** What the line does not bring now, or a newer server no longer has, is not asked for with every tick. */
const AGAIN_MS = 3_000;

/** A part of the page that is fetched when it is wanted; what does not come is asked for again. */
export class Later<C> {
  part = $state.raw<C | null>(null);
  #notBefore = 0;

  /** Made while a component is made; `wanted` reads the page's clock, so that it is asked again. */
  constructor(load: () => Promise<{ default: C }>, wanted: () => boolean) {
    const failed = (): void => {
      this.#notBefore = performance.now() + AGAIN_MS;
    };
    $effect(() => {
      if (!this.part && wanted() && performance.now() >= this.#notBefore) void load().then((loaded) => (this.part = loaded.default), failed);
    });
  }
}
