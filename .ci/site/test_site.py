"""The built site: no dead link, nothing from elsewhere, search, and how it looks."""

import re
import time
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

SCREENS = {"light": (1200, 900, "light"), "dark": (1200, 900, "dark"), "phone": (380, 800, "light"),
           "phone-dark": (380, 800, "dark")}  # fmt: skip


class Page(HTMLParser):
    """The ids and the links of a page: (attribute, target)."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loads = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        elif tag == "link" and found.get("rel") == "stylesheet":
            self.loads.append(found["href"])
        elif found.get("src") and not found["src"].startswith("data:"):
            self.loads.append(found["src"])


@pytest.fixture(scope="module")
def pages(site):
    """{file: Page} of all pages of the site."""
    files = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    return {path: Page(path.read_text("utf-8")) for path in files}


def test_no_link_is_dead(site, pages):
    dead = []
    for path, page in pages.items():
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme:  # only its form, as nothing is fetched
                well_formed = re.fullmatch(r"https://[\w.-]+\.\w+(/[^\s<>\"]*)?", link)
                if not well_formed:
                    dead.append(f"{path.relative_to(site)}: {link}")
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            in_place = there.is_file() and there.is_relative_to(site)
            if in_place and parts.fragment and there in pages:
                in_place = unquote(parts.fragment) in pages[there].ids
            if not in_place:
                dead.append(f"{path.relative_to(site)}: {link}")
    assert dead == []


def test_nothing_is_loaded_from_elsewhere(pages):
    assert [link for page in pages.values() for link in page.loads if urlsplit(link).netloc] == []


def test_the_chapters_stand_in_the_contents_in_their_order(site, pages):
    listed = [re.match(r"(\d+)-", link) for link in pages[site / "README.html"].links]
    numbers = list(dict.fromkeys(int(found[1]) for found in listed if found))
    built = sorted(int(path.name.partition("-")[0]) for path in site.glob("[0-9]*-*.html"))
    assert numbers == built


def looked_at(site):
    """Home, chapters from all parts of the course, the pages beside it, and of the reference."""
    chapters = sorted(site.glob("[0-9]*-*.html"), key=lambda path: int(path.stem.split("-")[0]))
    names = "README table new-operation coming-from-pytorch reference/index reference/layers"
    return [*chapters[::3], *(site / f"{name}.html" for name in names.split())]


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_are_looked_at(site, shots, browser, screen):
    browser.screen(*SCREENS[screen])
    for path in looked_at(site):
        browser.open(path.as_uri())
        browser.shoot(shots / f"{path.stem}-{screen}.png")
        assert browser.errors() == [], path.name
        theme = browser.run("return document.documentElement.dataset.theme")
        assert theme == SCREENS[screen][2]


def test_no_page_is_wider_than_a_phone(site, pages, browser):
    browser.screen(380, 800, "light")
    wide = {}
    for path in pages:
        if "_modules" in path.parts:  # code alone
            continue
        browser.open(path.as_uri())
        width = browser.run("return document.documentElement.scrollWidth")
        if width > 380:
            wide[str(path.relative_to(site))] = width
    assert wide == {}


@pytest.mark.parametrize("word", ["conv2d", "slope", "dropout"])
def test_search_finds(site, browser, word):
    browser.screen(1200, 900, "light")
    browser.open(f"{(site / 'search.html').as_uri()}?q={word}")
    for _ in range(100):
        done = browser.run("return document.querySelector('#search-results p')?.textContent")
        if done and re.search(r"\d+ page|Search finished", done):
            break
        time.sleep(0.1)
    found = browser.run("return document.querySelectorAll('#search-results ul.search li').length")
    assert found > 0
