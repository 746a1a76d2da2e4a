import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, type Column, filterRows, sortRows, toCsv } from "./table.ts";

type Row = { name: string; score: number | null };
const name: Column<Row> = { key: "name", title: "Аты", value: (row) => row.name };
const score: Column<Row> = { key: "score", title: "Балл", value: (row) => row.score, number: true };
const rows: Row[] = [{ name: "Әсел", score: 30 }, { name: "Болат", score: null }, { name: "Асан", score: 4 }];

test("every word asked for has to occur", () => {
  assert.deepEqual(filterRows(rows, [name, score], "ас").map((row) => row.name), ["Асан"]);
  assert.deepEqual(filterRows(rows, [name, score], "әсел 30").map((row) => row.name), ["Әсел"]);
  assert.equal(filterRows(rows, [name, score], "  ").length, 3);
});

test("numbers sort as numbers and what is not known comes last", () => {
  assert.deepEqual(sortRows(rows, score, false, "kk").map((row) => row.score), [4, 30, null]);
  assert.deepEqual(sortRows(rows, score, true, "kk").map((row) => row.score), [30, 4, null]);
});

test("an exported cell is quoted and never a formula", () => {
  const csv = toCsv([{ name: '=1+"2"', score: 1 }], [name, score], (column, row) => String(column.value(row)));
  assert.equal(csv, '\uFEFF"Аты";"Балл"\r\n"\'=1+""2""";"1"\r\n');
});

test("a part of a list has an address of its own", () => {
  const shown = { search: " Әсел  О ", sort: "name", down: false, page: 2 };
  const address = new URL(addressOf("/api/v1/centre/results", shown, { state: "", format: "xlsx" }), "http://x");
  assert.deepEqual([...address.searchParams], [["sort", "name"], ["down", "false"], ["search", "Әсел  О"], ["offset", "50"], ["format", "xlsx"]]);
  assert.equal(addressOf("/a", { ...shown, search: "", page: 0 }, {}), "/a?sort=name&down=false");
});
