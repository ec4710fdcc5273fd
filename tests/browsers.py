"""What holds for every page of results, asked in a real browser."""

import io
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PIL import Image

WIDTHS = (320, 768, 1440)
SCHEMES = ("light", "dark")
DECODED = """audio => new Promise(done => {
  audio.preload = "auto";
  audio.onloadeddata = () => done(audio.duration);
  audio.onerror = () => done(0);
  audio.load();
})"""
LINKS = "links => links.map(link => link.getAttribute('href'))"


def opened(browser, page: Path, problems: list[str], width: int = 1440, scheme: str = "light"):
    """A tab with the page; all that the browser complains of, and requests for other files, go into `problems`."""
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab.on("console", lambda message: message.type in ("error", "warning") and problems.append(message.text))
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("request", lambda request: request.url.startswith(("file:", "data:")) or problems.append(request.url))
    tab.goto(page.absolute().as_uri(), wait_until="load")
    return tab


def check(browser, page: Path, sections: list[str], sounds: int) -> None:
    """Check the page: its links, sounds, access, widths and pictures. sounds: how many it has."""
    from axe_playwright_python.sync_playwright import Axe

    problems: list[str] = []
    pictures = {}
    for scheme in SCHEMES:
        tab = opened(browser, page, problems, scheme=scheme)
        pictures[scheme] = {section: tab.locator(f"#{section}").screenshot() for section in sections}
        violations = Axe().run(tab).response["violations"]
        assert violations == [], [(one["id"], one["nodes"][0]["html"][:200]) for one in violations]
        tab.close()
    for section in sections:
        light, dark = (Image.open(io.BytesIO(pictures[scheme][section])).convert("RGB") for scheme in SCHEMES)
        assert light.tobytes() != dark.tobytes(), section
        for picture in (light, dark):
            assert len(picture.getcolors(2**24)) > 20, f"{section} is empty"
    for width in WIDTHS:
        tab = opened(browser, page, problems, width)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        tab.close()
    tab = opened(browser, page, problems)
    links = tab.eval_on_selector_all("a[href]", LINKS)
    broken = [link for link in links if not resolves(link, page, tab)]
    assert links and broken == []
    lasting = [audio.evaluate(DECODED) for audio in tab.query_selector_all("audio")]
    assert len(lasting) == sounds and all(seconds > 0 for seconds in lasting)
    tab.close()
    assert problems == []


def resolves(link: str, page: Path, tab) -> bool:
    """Whether a link is to a place on the page, to a file that there is, or to another site."""
    if link.startswith("#"):
        return tab.locator(f"[id={link[1:]!r}]").count() == 1
    return link.startswith("https:") or (page.parent / unquote(urlsplit(link).path)).is_file()


def slides(browser, page: Path) -> None:
    """Check that the slider shows another noise level, with other waves and pictures, when an arrow key is pressed."""
    problems: list[str] = []
    tab = opened(browser, page, problems)
    place, slider = tab.locator("[data-forming]"), tab.locator("[data-forming] input")

    def state() -> list[str]:
        return [
            place.locator("output").inner_text(), slider.get_attribute("aria-valuetext"),
            place.locator(".front").first.get_attribute("d"), place.locator("img").first.get_attribute("src"),
            place.locator("audio").first.get_attribute("src"),
        ]  # fmt: skip

    last = state()
    assert last[0] == last[1] and last[0].startswith("σ = ")
    slider.focus()
    tab.keyboard.press("Home")
    first = state()
    assert all(before != now for before, now in zip(last, first, strict=True))
    tab.keyboard.press("End")
    assert state() == last
    tab.keyboard.press("ArrowLeft")
    assert state()[0] not in (first[0], last[0])
    # Only one sound plays at a time.
    both = tab.locator("audio")
    for number in (0, 1):
        both.nth(number).evaluate("audio => { audio.muted = true; audio.loop = true; return audio.play(); }")
    assert [both.nth(number).evaluate("audio => audio.paused") for number in (0, 1)] == [True, False]
    tab.close()
    assert problems == []
