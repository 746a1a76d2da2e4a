// Addresses below /centre/: real ones, so that a reload, a bookmark and the back button work.
const ROOT = "/centre/";

/** Which page is shown. */
export class Router {
  path = $state(here());

  constructor() {
    window.addEventListener("popstate", () => (this.path = here()));
  }

  /** The parts of the address below /centre/. */
  get parts(): string[] {
    return this.path.split("/").filter((part) => part !== "");
  }

  go(path: string): void {
    history.pushState(null, "", ROOT + path);
    this.path = here();
    window.scrollTo(0, 0);
  }

  /** Turns a click on one of our own links into a change of page; everything else stays the browser's. */
  follow = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (!link.pathname.startsWith(ROOT) || link.getAttribute("href")?.startsWith("#")) return;
    event.preventDefault();
    this.go(link.pathname.slice(ROOT.length) + link.search);
  };
}

function here(): string {
  return decodeURIComponent(location.pathname.slice(ROOT.length));
}

/** The one router of the page. */
export const router = new Router();
