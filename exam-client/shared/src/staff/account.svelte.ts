import type { Me } from "../wire/Me.ts";
import type { Role } from "../wire/Role.ts";
import type { SetUp } from "../wire/SetUp.ts";
import type { SignIn } from "../wire/SignIn.ts";
import { type Fault, faultOf, get, post, whenSignedOut } from "./api.ts";

/** Who sits at this desk. */
export class Account {
  standing = $state<"asking" | "out" | "in" | "failed">("asking");
  me = $state.raw<Me | null>(null);
  fault = $state.raw<Fault | null>(null);

  constructor() {
    whenSignedOut(() => this.#out());
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

  #in(me: Me): void {
    this.me = me;
    this.fault = null;
    this.standing = "in";
  }

  #out(): void {
    this.me = null;
    this.standing = "out";
  }
}
