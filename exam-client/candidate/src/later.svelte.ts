/** A part of the page that is fetched when it is wanted; what does not come is asked for again with the next tick. */
export class Later<C> {
  part = $state.raw<C | null>(null);

  /** Made while a component is made; `wanted` reads the page's clock, so that it is asked again. */
  constructor(load: () => Promise<{ default: C }>, wanted: () => boolean) {
    $effect(() => {
      if (!this.part && wanted()) void load().then((loaded) => (this.part = loaded.default), () => undefined);
    });
  }
}
