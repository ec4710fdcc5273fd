"""The site builds without a warning, and its links, anchors and images resolve."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[2]


class Page(HTMLParser):
    """What a page refers to, and the anchors that it has."""

    def __init__(self, text: str):
        super().__init__()
        self.targets, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and value:
                self.targets.append(value)
            elif name == "id":
                self.anchors.add(value)


def test_the_site_builds_and_its_links_resolve(tmp_path):
    site = tmp_path / "site"
    sphinx = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    subprocess.run([*sphinx, "-d", tmp_path / "doctrees", ROOT / "docs", site], check=True)
    pages = {path.resolve(): Page(path.read_text("utf-8")) for path in site.rglob("*.html")}
    assert len(pages) > 20
    broken = []
    for path, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            place = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchors = pages[place].anchors if parts.fragment and place in pages else None
            if not place.exists() or (anchors is not None and unquote(parts.fragment) not in anchors):
                broken.append((path.name, target))
    assert not broken, broken
