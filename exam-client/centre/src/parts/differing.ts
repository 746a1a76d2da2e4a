/** A field that two people wrote differently, as text for people. */
export type Differing = { readonly key: string; readonly name: string; readonly stored: string; readonly typed: string };

/** Of all fields those whose texts differ, in their order. */
export function differing(fields: readonly Differing[]): Differing[] {
  return fields.filter((field) => field.stored.trim() !== field.typed.trim());
}
