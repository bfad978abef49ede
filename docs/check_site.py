"""Check a built site as a reader meets it.

    python docs/check_site.py docs/_build/html
    python docs/check_site.py docs/_build/html --screenshots folder

All links within the site must lead to a page and a place in it. With playwright and
Chromium, each page is opened at the width of a desktop and of a telephone: nothing may
be wider than the screen, no picture may be missing, no visible sidebar may be empty,
and the search must find what people search for.
"""

import argparse
import contextlib
import functools
import http.server
import re
import shutil
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

WIDTHS = {"desktop": (1280, 900), "telephone": (390, 844)}

# What people search for, and a page that must be among the first results.
SEARCHES = {
    "embedding": "guide/text",
    "variable length": "guide/lengths",
    "multiclass": "guide/inputs",
    "early stopping": "guide/validation",
    "feature importance": "guide/inspection",
    "NaN": "start/questions",
}
N_RESULTS = 12

# Written by Sphinx alone.
GENERATED = {"genindex.html", "py-modindex.html", "search.html"}


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.places = [], set()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.places |= {attrs.get("id"), attrs.get("name")} - {None}
        link = attrs.get("href" if tag in ("a", "link") else "src")
        if link:
            self.links.append(link)


def read_pages(folder):
    """Parse all pages, by their path within the site."""
    pages = {}
    for path in sorted(folder.rglob("*.html")):
        if "_static" in path.parts:
            continue
        page = _Page()
        page.feed(path.read_text(encoding="utf-8"))
        pages[path.relative_to(folder).as_posix()] = page
    return pages


def broken_links(folder, pages):
    """List links within the site that lead nowhere."""
    faults = []
    for name, page in pages.items():
        for link in page.links:
            if urlsplit(link).scheme or link.startswith("//"):
                continue
            target, place = urldefrag(urljoin(name, unquote(link)))
            target = target.partition("?")[0]
            if not (folder / target).exists():
                faults.append(f"{name}: {link} leads to no file")
            elif place and target in pages and place not in pages[target].places:
                faults.append(f"{name}: {link} leads to no place in {target}")
    return faults


# ------------------------------------------------------------------------- a browser

# Text and pictures that end outside the screen, but for those in a box that scrolls.
_LOOK = """
() => {
  const faults = [];
  const width = document.documentElement.clientWidth;
  const scrolls = one => {
    for (; one && one.tagName !== 'ARTICLE'; one = one.parentElement) {
      if (['auto', 'scroll'].includes(getComputedStyle(one).overflowX)
          && one.getBoundingClientRect().right <= width + 1) return true;
    }
    return false;
  };
  const parts = document.querySelectorAll(
    'article :is(p, li, dt, dd, td, th, img, svg, h1, h2, h3, pre, table)');
  const wide = [...parts].filter(
    one => one.getBoundingClientRect().right > width + 1 && !scrolls(one));
  if (wide.length || document.documentElement.scrollWidth > width + 1) {
    const first = wide.slice(0, 3).map(
      one => one.tagName + ' "' + (one.textContent || '').trim().slice(0, 40) + '"');
    faults.push('wider than the screen: ' + first.join(', '));
  }
  for (const picture of document.images) {
    if (picture.complete && picture.naturalWidth === 0) {
      faults.push('no picture: ' + picture.getAttribute('src'));
    }
  }
  const sidebar = document.querySelector('.bd-sidebar-primary');
  const seen = sidebar && sidebar.getBoundingClientRect();
  if (seen && seen.width > 0 && seen.right > 0
      && !sidebar.querySelector('a')) {
    faults.push('an empty sidebar');
  }
  return faults;
}
"""


def serve(folder):
    """Serve a folder on a free port of this machine, in a thread."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def copyfile(self, source, outputfile):
            with contextlib.suppress(BrokenPipeError):  # the next page was opened
                super().copyfile(source, outputfile)

    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def look(folder, pages, screenshots):
    """Open all pages in Chromium, and list what is wrong."""
    from playwright.sync_api import sync_playwright

    faults = []
    server = serve(folder)
    address = f"http://127.0.0.1:{server.server_port}/"
    with sync_playwright() as playwright:
        installed = shutil.which("chromium") or shutil.which("google-chrome")
        # Only this site: nothing from elsewhere decides.
        browser = playwright.chromium.launch(
            executable_path=installed,
            args=[
                "--no-sandbox",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ],
        )
        tab = browser.new_page()
        for name in pages:
            tab.goto(address + name, wait_until="load")
            for screen, (width, height) in WIDTHS.items():
                tab.set_viewport_size({"width": width, "height": height})
                if name not in GENERATED:
                    found = tab.evaluate(_LOOK)
                    faults += [f"{name} ({screen}): {fault}" for fault in found]
                if screenshots:
                    file = re.sub(r"\W+", "_", name.removesuffix(".html"))
                    screenshots.mkdir(parents=True, exist_ok=True)
                    tab.screenshot(
                        path=screenshots / f"{file}-{screen}.png", full_page=True
                    )
        width, height = WIDTHS["desktop"]
        tab.set_viewport_size({"width": width, "height": height})
        for words, wanted in SEARCHES.items():
            tab.goto(f"{address}search.html?q={words}")
            tab.wait_for_selector("#search-results li", timeout=20_000)
            tab.wait_for_timeout(500)
            links = tab.eval_on_selector_all(
                "#search-results li > a", "all => all.map(one => one.href)"
            )
            first = [urlsplit(link).path.strip("/") for link in links[:N_RESULTS]]
            if f"{wanted}.html" not in first:
                faults.append(f"the search for {words!r} does not find {wanted}")
        browser.close()
    server.shutdown()
    return faults


def main():
    """Run the checks, and end with 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="the site, as Sphinx has built it")
    parser.add_argument("--screenshots", type=Path, help="a folder for pictures")
    parser.add_argument(
        "--browser", choices=["needed", "optional", "none"], default="needed",
        help="whether pages are opened; optional: if Chromium starts",
    )  # fmt: skip
    options = parser.parse_args()
    pages = read_pages(options.folder)
    if not pages:
        parser.error(f"no pages in {options.folder}: build the site first")
    faults = broken_links(options.folder, pages)
    if options.browser != "none":
        from playwright.sync_api import Error

        try:
            faults += look(options.folder, pages, options.screenshots)
        except Error as error:
            if options.browser == "needed" or "launch" not in str(error):
                raise
            print("Chromium does not start: links are checked, pages are not opened.")
    print(f"{len(pages)} pages, {len(faults)} faults", *faults, sep="\n")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
