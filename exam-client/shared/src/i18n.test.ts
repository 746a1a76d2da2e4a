import assert from "node:assert/strict";
import { test } from "node:test";
import { calendarDate, countdown, date, dateTime, preferredLang, time, timeExact } from "./i18n.ts";

const AT = Date.UTC(2026, 10, 20, 21, 5, 9);

test("dates and times are Almaty's, in the order people here write them", () => {
  assert.equal(date(AT), "21.11.2026");
  assert.equal(time(AT), "02:05");
  assert.equal(timeExact(AT), "02:05:09");
  assert.equal(dateTime(AT), "21.11.2026, 02:05");
  assert.equal(calendarDate("2026-11-27"), "27.11.2026");
});

test("the countdown reaches zero only at the end", () => {
  assert.deepEqual([3_600_000, 3_599_999, 61_000, 1, 0, -5].map(countdown), ["1:00:00", "1:00:00", "01:01", "00:01", "00:00", "00:00"]);
});

test("the first language of the browser that we have is taken, else Kazakh", () => {
  assert.equal(preferredLang(["de-DE", "ru-RU", "en"]), "ru");
  assert.equal(preferredLang(["fr"]), "kk");
});
