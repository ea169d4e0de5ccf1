"""Look at a lab report in a headless browser: ``python -m tests.labs.browse FOLDER``.

Needs Playwright (pip) and Chromium (a system package); the page is opened from its file, wide and
narrow, light and dark, and printed.
"""

from __future__ import annotations

import os
import shutil
import sys
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SIZES = {"wide": (1280, 900), "phone": (390, 844)}
LOOK = """() => {
  const found = [];
  for (const img of document.images) {
    const box = img.getBoundingClientRect();
    if (!img.complete || img.naturalWidth < 50 || box.width < 50 || box.height < 50)
      found.push(`a picture without size: ${img.alt}`);
    const drawn = img.naturalWidth / img.naturalHeight, shown = box.width / box.height;
    if (Math.abs(drawn / shown - 1) > 0.03) found.push(`a distorted picture: ${img.alt}`);
    if (img.alt.trim().length < 20) found.push(`a picture that says little: "${img.alt}"`);
  }
  const over = document.scrollingElement.scrollWidth - window.innerWidth;
  if (over > 0) found.push(`the page is ${over} px too wide`);
  let level = 0;
  for (const head of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const here = Number(head.tagName[1]);
    if (here > level + 1) found.push(`a heading skips a level: ${head.textContent}`);
    level = here;
  }
  if (document.querySelectorAll("h1").length != 1) found.push("not one h1");
  const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) != i)))
    found.push(`an id stands twice: ${id}`);
  for (const link of document.querySelectorAll('a[href^="#"]'))
    if (!document.getElementById(link.getAttribute("href").slice(1)))
      found.push(`a link leads nowhere: ${link.getAttribute("href")}`);
  return found;
}"""
LINKS = "() => [...document.querySelectorAll('a')].map(a => a.getAttribute('href'))"
SOURCES = "() => [...document.images].map(img => img.currentSrc)"
PAPER = "() => getComputedStyle(document.body).backgroundColor"


def browse(folder: Path, shots: Path | None = None) -> list[str]:
    """What is wrong with the report in ``folder``; screenshots go to ``shots``, if given."""
    from playwright.sync_api import sync_playwright

    problems: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--disable-background-networking", "--disable-component-update",
                  *(["--no-sandbox"] if os.geteuid() == 0 else [])])
        for size, scheme in product(SIZES, ("light", "dark")):
            page = opened(browser, folder, size, scheme, problems)
            if shots is not None:
                page.screenshot(path=shots / f"{size}-{scheme}.png", full_page=True)
            if (size, scheme) == ("wide", "light"):
                light, paper = page.evaluate(SOURCES), page.evaluate(PAPER)
                problems += [f"a link leads to no file: {link}" for link in page.evaluate(LINKS)
                             if not link.startswith("#") and not (folder / link).is_file()]
            if (size, scheme) == ("wide", "dark"):
                if page.evaluate(PAPER) == paper:
                    problems.append("the dark page is not dark")
                if set(page.evaluate(SOURCES)) & set(light):
                    problems.append("a light picture on the dark page")
                page.emulate_media(media="print")
                page.wait_for_timeout(500)  # pictures change a moment later
                if page.evaluate(SOURCES) != light or page.evaluate(PAPER) != paper:
                    problems.append("a dark page is printed")
                if len(page.pdf()) < 10_000:
                    problems.append("nothing is printed")
            page.close()
        browser.close()
    return problems


def opened(browser: Any, folder: Path, size: str, scheme: str, problems: list[str]) -> Any:
    """The report in a window of that size; whatever the browser has to say becomes a problem."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)

    def complain(what: str) -> None:
        problems.append(f"{size}, {scheme}: {what}")

    def asked(request: Any) -> None:
        if urlsplit(request.url).scheme not in ("file", "data"):
            complain(f"it asks the network for {request.url[:90]}")

    page.on("console", lambda message: complain(f"console: {message.text}"))
    page.on("pageerror", lambda error: complain(f"error: {error}"))
    page.on("request", asked)
    page.goto((folder / "index.html").resolve().as_uri(), wait_until="load")
    for problem in page.evaluate(LOOK):
        complain(problem)
    return page


if __name__ == "__main__":
    shots = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    found = browse(Path(sys.argv[1]), shots)
    print(*found or ["the report is in order: no error, no request, no picture or link amiss"],
          sep="\n")
    sys.exit(bool(found))
