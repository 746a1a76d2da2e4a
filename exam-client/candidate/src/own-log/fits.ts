// What this device was told against what the server's log says now.
import type { OwnLog } from "../../../shared/src/wire/OwnLog.ts";
import type { Receipt } from "../../../shared/src/wire/Receipt.ts";

/** Whether the device's last receipt stands in the log; null where the page is not shown that place of it. */
export function fits(head: Receipt | null, log: Pick<OwnLog, "lines" | "answers">): boolean | null {
  if (!head) return null;
  const found = [...log.lines, ...log.answers].find(({ seq }) => seq === head.seq);
  return found ? found.hash === head.hash && found.at === head.at : null;
}
