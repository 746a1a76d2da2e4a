import "../../shared/src/base.css";
import { mount } from "svelte";
import { preferredLang } from "../../shared/src/i18n.ts";
import App from "./App.svelte";
import { Exam } from "./exam.svelte.ts";
import { applyDisplay, keptDisplay } from "./display.ts";
import { rememberedLang, useLang } from "./text.ts";

const target = document.getElementById("app");
if (!target) throw new Error("the page has no #app");

// Before the first picture: nothing changes its size while somebody reads.
applyDisplay(keptDisplay());

const link = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const exam = new Exam(link);
const remembered = rememberedLang();
// Both take a way to the server and back: at once, not one after the other.
void exam.start();
await useLang(preferredLang(remembered ? [remembered] : navigator.languages));
mount(App, { target, props: { exam } });

// Failing is fine: without it only the reload while offline is missing.
navigator.serviceWorker?.register("/sw.js", { scope: "/c/" }).catch(() => undefined);
