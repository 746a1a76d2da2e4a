import "../../shared/src/base.css";
import "../../shared/src/staff/staff.css";
import { mount } from "svelte";
import App from "./App.svelte";

// Faces are judged better beside dark, and a wall that glares tires.
document.documentElement.dataset.theme = "dark";

const target = document.getElementById("app");
if (!target) throw new Error("the page has no #app");
mount(App, { target });
