import type { Me } from "../wire/Me.ts";
import type { Role } from "../wire/Role.ts";
import type { SetUp } from "../wire/SetUp.ts";
import type { SignIn } from "../wire/SignIn.ts";
import { actAs, type Fault, faultOf, get, getAsAnybody, post, whenSignedOut } from "./api.ts";

/** Who sits at this desk. */
export class Account {
  standing = $state<"asking" | "out" | "in" | "failed">("asking");
  me = $state.raw<Me | null>(null);
  fault = $state.raw<Fault | null>(null);

  /** The sign-in ran out in the middle of something: the page stands with all that was typed, and waits. */
  isCut = $state(false);
  /** Who signed in meanwhile, where it is not the person of this page. */
  other = $state.raw<Me | null>(null);
  #goOn: ((isSame: boolean) => void) | null = null;

  constructor() {
    whenSignedOut(() => this.#again());
  }

  has = (role: Role): boolean => this.me?.roles.includes(role) ?? false;

  async ask(): Promise<void> {
    this.standing = "asking";
    try {
      this.#in(await get<Me>("/api/v1/staff/me"));
    } catch (thrown) {
      const fault = faultOf(thrown);
      if (fault.is === "problem" && fault.problem.status === 401) return this.#out();
      this.fault = fault;
      this.standing = "failed";
    }
  }

  /** The fault, if it did not work. */
  async signIn(body: SignIn): Promise<Fault | null> {
    try {
      this.#in(await post<Me>("/api/v1/staff/sign-in", body));
      return null;
    } catch (thrown) {
      return faultOf(thrown);
    }
  }

  /** Sets the password of a set-up link; the person signs in with it afterwards. */
  async setUp(body: SetUp): Promise<Fault | null> {
    try {
      await post<unknown>("/api/v1/staff/setup", body);
      return null;
    } catch (thrown) {
      return faultOf(thrown);
    }
  }

  async signOut(): Promise<Fault | null> {
    try {
      await post<unknown>("/api/v1/staff/sign-out");
      this.#out();
      return null;
    } catch (thrown) {
      return faultOf(thrown);
    }
  }

  /** After the cut: the fault; or nothing, and either the page goes on or `other` says who is there now. */
  async signInAgain(body: SignIn): Promise<Fault | null> {
    try {
      this.#found(await post<Me>("/api/v1/staff/sign-in", body));
      return null;
    } catch (thrown) {
      return faultOf(thrown);
    }
  }

  /** Gives up what was typed: the sign-in page comes. */
  leave(): void {
    this.#out();
  }

  #again(): Promise<boolean> {
    if (this.standing !== "in") {
      this.#out();
      return Promise.resolve(false);
    }
    const over = new Promise<boolean>((resolve) => (this.#goOn = resolve));
    // In another tab somebody may have signed in already; if nobody has, the dialog asks.
    getAsAnybody<Me>("/api/v1/staff/me").then((me) => this.#found(me), () => (this.isCut = this.#goOn !== null));
    return over;
  }

  #found(me: Me): void {
    if (this.#goOn !== null && me.staff === this.me?.staff) {
      this.#in(me);
      this.#resume(true);
    } else if (this.#goOn !== null) {
      this.other = me;
      this.isCut = true;
    }
  }

  #resume(isSame: boolean): void {
    this.isCut = false;
    this.other = null;
    this.#goOn?.(isSame);
    this.#goOn = null;
  }

  #in(me: Me): void {
    actAs(me.staff);
    this.me = me;
    this.fault = null;
    this.standing = "in";
  }

  #out(): void {
    this.#resume(false);
    actAs(null);
    this.me = null;
    this.standing = "out";
  }
}
