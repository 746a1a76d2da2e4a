// Addresses of stills; a sitting played in the page draws its own.
type Source = (session: string, n: number) => string;

const served: Source = (session, n) => `/api/v1/proctor/sessions/${session}/still?n=${n}`;
let source = served;

/** Address of a candidate's still number `n`. */
export const stillOf: Source = (session, n) => source(session, n);

/** Other stills than the server's; returns how to go back to those. */
export function useStills(other: Source): () => void {
  source = other;
  return () => (source = served);
}
