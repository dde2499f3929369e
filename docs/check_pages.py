"""Look at the built site in a browser, as readers do: `make docs-check`.

Every page is opened at the width of a laptop and of a telephone, light and dark. What
the console says, what fails to load, what is wider than the page and what is too small
to be read is an error; pictures of the main pages are left in docs/_build/pictures.
"""

import shutil
import sys
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.sync_api import sync_playwright

BUILD = Path(__file__).parent / "_build"
SITE, PICTURES = BUILD / "html", BUILD / "pictures"
WIDTHS, MODES = (1280, 390), ("light", "dark")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# The pages that one should also look at oneself.
TO_SEE = ("index", "guide/index", "guide/when", "auto_examples/index", "api/index")
# Nothing is asked of anyone but the site itself.
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

# Elements that stick out of the page, and not only of a box that scrolls.
STICKING_OUT = """() => {
  const scrolls = e => e && (getComputedStyle(e).overflowX !== 'visible'
    || scrolls(e.parentElement));
  const wide = document.documentElement.clientWidth + 1;
  return [...document.querySelectorAll('.bd-article *')]
    .filter(e => e.getBoundingClientRect().right > wide && !scrolls(e.parentElement))
    .slice(0, 3).map(e => e.tagName + ': ' + e.textContent.trim().slice(0, 40));
}"""
PAGE_IS_WIDER = "() => document.documentElement.scrollWidth > innerWidth + 1"
# A figure is legible if it is 150 pixels wide at least, or as wide as it was made.
SMALL_FIGURES = """() => [...document.querySelectorAll('.bd-article img')]
  .filter(i => i.complete && i.offsetParent)
  .filter(i => !i.naturalWidth || i.clientWidth < Math.min(i.naturalWidth, 150))
  .map(i => i.src.split('/').pop())"""


def main():
    """Look at all pages; exit with 1 if anything is wrong."""
    if not SITE.is_dir():
        sys.exit("There is no site: make docs builds it.")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"None of {', '.join(BROWSERS)} is installed.")
    PICTURES.mkdir(exist_ok=True)
    pages = sorted(p.relative_to(SITE).as_posix() for p in SITE.rglob("*.html"))
    pages = [p for p in pages if not p.startswith(("_modules", "_static"))]
    faults = []
    with serve(SITE) as address, sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser, args=QUIET)
        for width in WIDTHS:
            for mode in MODES:
                viewport = {"width": width, "height": 900}
                context = chromium.new_context(viewport=viewport, color_scheme=mode)
                for page in pages:
                    found = look(context, f"{address}/{page}", PICTURES)
                    faults += [f"{page} at {width}, {mode}: {fault}" for fault in found]
                context.close()
        chromium.close()
    print(*faults, sep="\n")
    print(f"{len(pages)} pages, {len(WIDTHS) * len(MODES)} ways: {len(faults)} faults.")
    sys.exit(bool(faults))


@contextmanager
def serve(folder):
    """Serve a folder on this machine alone; yield its address."""
    handler = partial(_Silent, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Say nothing: a page is hundreds of requests."""


def look(context, address, pictures):
    """Open a page; return what is wrong with it."""
    faults = []
    page = context.new_page()
    page.on("console", lambda m: m.type == "error" and faults.append(m.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda r: faults.append(f"not loaded: {r.url}"))
    page.goto(address, wait_until="load")
    if page.evaluate(PAGE_IS_WIDER):
        faults.append(f"wider than the page: {page.evaluate(STICKING_OUT)}")
    faults += [f"too small: {name}" for name in page.evaluate(SMALL_FIGURES)]
    name = address.split("/", 3)[3].removesuffix(".html")
    if name in TO_SEE:
        mode = page.evaluate("document.documentElement.dataset.theme")
        width = page.viewport_size["width"]
        path = pictures / f"{name.replace('/', '-')}-{width}-{mode}.png"
        page.screenshot(path=path, full_page=True)
    page.close()
    return faults


if __name__ == "__main__":
    main()
