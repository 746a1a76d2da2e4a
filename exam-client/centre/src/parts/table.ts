/** A column of a table: its name, and what sorting, filtering and export see. */
export interface Column<Row> {
  key: string;
  title: string;
  value: (row: Row) => string | number | null;
  /** Right-aligned, tabular; the largest first when sorted for the first time. */
  number?: boolean;
  /** Nobody sorts by it. */
  fixed?: boolean;
}

/** Rows in which every word of `wanted` occurs in some column. */
export function filterRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], wanted: string): Row[] {
  const needles = wanted.toLocaleLowerCase().split(/\s+/).filter((word) => word !== "");
  if (needles.length === 0) return [...rows];
  return rows.filter((row) => {
    const hay = columns.map((column) => String(column.value(row) ?? "")).join("\n").toLocaleLowerCase();
    return needles.every((needle) => hay.includes(needle));
  });
}

/** Sorted by one column; nothing known comes last either way. */
export function sortRows<Row>(rows: readonly Row[], column: Column<Row>, descending: boolean, lang: string): Row[] {
  const collator = new Intl.Collator(lang, { numeric: true });
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
    return sign * (typeof x === "number" && typeof y === "number" ? x - y : collator.compare(String(x), String(y)));
  });
}

/** CSV (RFC 4180) with the mark by which spreadsheet programs know UTF-8. */
export function toCsv<Row>(rows: readonly Row[], columns: readonly Column<Row>[], print: (column: Column<Row>, row: Row) => string): string {
  // A leading =, +, -, @ would be run as a formula when the file is opened; full-width forms are read like the plain ones.
  const cell = (text: string): string => `"${text.replace(/^([=+\-@\t\r＝＋－＠])/, "'$1").replaceAll('"', '""')}"`;
  const lines = [columns.map((column) => cell(column.title)), ...rows.map((row) => columns.map((column) => cell(print(column, row))))];
  return `\uFEFF${lines.map((line) => line.join(";")).join("\r\n")}\r\n`;
}

/** Rows of a page, here and on the server (`PAGE_ROWS`). */
export const PAGE_ROWS = 25;

/** What of a list is shown. */
export interface Shown {
  search: string;
  /** A column's key. */
  sort: string;
  down: boolean;
  /** From 0. */
  page: number;
}

/** Where the server answers with that part of a list. */
export function addressOf(path: string, shown: Readonly<Shown>, more: Readonly<Record<string, string>>): string {
  const asked = new URLSearchParams({ sort: shown.sort, down: String(shown.down) });
  if (shown.search.trim() !== "") asked.set("search", shown.search.trim());
  if (shown.page > 0) asked.set("offset", String(shown.page * PAGE_ROWS));
  for (const [key, value] of Object.entries(more)) if (value !== "") asked.set(key, value);
  return `${path}?${asked}`;
}
