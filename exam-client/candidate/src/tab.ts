// Which tab this is. sessionStorage outlives a reload but is copied by "duplicate tab", so a lock tells twins apart.
const KEY = "synaq.tab";
/** A reloaded page may start before its predecessor let go of the lock. */
const TRIES = 5;
const TRY_EVERY_MS = 100;

function held(id: string): Promise<boolean> {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((done) => {
    navigator.locks
      .request(`${KEY}.${id}`, { ifAvailable: true }, (lock) => {
        done(lock !== null);
        // Kept until the page is gone.
        return lock ? new Promise<void>(() => undefined) : undefined;
      })
      .catch(() => done(true));
  });
}

function remembered(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Made per tab, the same after a reload. */
export async function tabId(): Promise<string> {
  const old = remembered();
  if (old) {
    for (let n = 0; n < TRIES; n++) {
      if (await held(old)) return old;
      await new Promise((done) => setTimeout(done, TRY_EVERY_MS));
    }
  }
  const fresh = crypto.randomUUID();
  await held(fresh);
  try {
    sessionStorage.setItem(KEY, fresh);
  } catch {
    // A tab that cannot remember is a new tab after each reload; a proctor admits it.
  }
  return fresh;
}

/** Whether this browser has the exam open in a tab besides `own`; false where a browser cannot say. */
export async function anotherTabIsOpen(own: string): Promise<boolean> {
  const locks = await navigator.locks?.query().catch(() => undefined);
  return locks?.held?.some(({ name }) => name?.startsWith(`${KEY}.`) && name !== `${KEY}.${own}`) ?? false;
}
