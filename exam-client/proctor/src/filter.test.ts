import assert from "node:assert/strict";
import { test } from "node:test";
import { belongs, GROUPS, isNamed } from "./filter.ts";

test("a candidate is found by the beginning of any of the names, also without the letters of the Kazakh keyboard", () => {
  const name = "Әбдіғали-Серікұлы Қайрат Нұрланұлы";
  for (const typed of ["", "қай", "Кай", "абдигали", "серик кайр", "НУР"]) assert.ok(isNamed(name, typed), typed);
  for (const typed of ["рат", "кайрат иванов"]) assert.ok(!isNamed(name, typed), typed);
});

test("whoever has not come is absent, whoever was here and is gone is offline, and nobody is in two stages", () => {
  const tile = { stage: "preparing", online: false, online_changed_at: null, warnings: 0 } as const;
  const groups = (change: object): string[] => GROUPS.filter((group) => belongs({ ...tile, ...change }, group));
  assert.deepEqual(groups({}), ["absent"]);
  assert.deepEqual(groups({ online_changed_at: 5 }), ["preparing", "offline"]);
  assert.deepEqual(groups({ online: true, online_changed_at: 5 }), ["preparing"]);
  assert.deepEqual(groups({ stage: "paused", online: true, online_changed_at: 5, warnings: 1 }), ["running", "warned"]);
  assert.deepEqual(groups({ stage: "closed", online_changed_at: 5 }), ["closed"]);
});
