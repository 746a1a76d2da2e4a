// Where a wall hears from when it is not a server: a sitting played in the page.
import type { ProctorFrame } from "../../shared/src/wire/ProctorFrame.ts";
import type { ProctorServerFrame } from "../../shared/src/wire/ProctorServerFrame.ts";

export interface Feed {
  /** Begins to tell; what the wall says comes to `take`. */
  start(tell: (frame: ProctorServerFrame) => void): void;
  take(frame: ProctorFrame): void;
  stop(): void;
}
