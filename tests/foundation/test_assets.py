"""The look comes whole with the repository: nothing from elsewhere, nothing inline, nothing missing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "foundation" / "static"
CSS = (STATIC / "waypost.css").read_text(encoding="utf-8")
TEMPLATES = sorted(ROOT.glob("*/templates/**/*.html"))
# Hooks that need no rule of their own.
UNSTYLED = {
    "door",
    "usa-step-indicator__heading-counter",
    "usa-step-indicator__heading-text",
    "usa-summary-box__body",
}


def _markup(template: Path) -> str:
    """The template without its comments."""
    return re.sub(r"{#.*?#}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)


def _classes(template: Path) -> set[str]:
    """The classes that the template names in full; one that is put together at run time is left out."""
    named: set[str] = set()
    for value in re.findall(r'class="([^"]*(?:{{[^}]*}}[^"]*)*)"', _markup(template)):
        plain = re.sub(r"{%.*?%}", " ", re.sub(r"{{.*?}}", "\0", value))
        named |= {word for word in plain.split() if "\0" not in word}
    return named


def _urls() -> set[str]:
    return set(re.findall(r'url\("?([^)"]+)"?\)', CSS))


def test_a_phone_on_a_weak_network_loads_little() -> None:
    fonts = sum(font.stat().st_size for font in STATIC.rglob("*.woff2"))
    assert len(CSS.encode()) < 120_000
    assert fonts < 70_000


def test_every_file_that_the_style_sheet_names_is_here() -> None:
    assert _urls()
    assert not [url for url in _urls() if not (STATIC / url).is_file()]


def test_nothing_is_vendored_that_the_style_sheet_does_not_name() -> None:
    carried = {
        path.relative_to(STATIC).as_posix()
        for kind in ("fonts", "img")
        for path in STATIC.glob(f"{kind}/**/*.*")
    }
    assert carried == _urls()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_class_of_a_template_has_a_rule(template: Path) -> None:
    styled = set(re.findall(r"\.((?:[\w-]|\\:)+)", CSS))
    missing = _classes(template) - {name.replace("\\:", ":") for name in styled} - UNSTYLED
    assert not missing, "run `make assets`, or name the class in foundation/assets/safelist.txt first"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_template_holds_code_or_loads_from_elsewhere(template: Path) -> None:
    markup = _markup(template)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", markup)
    assert not re.search(r"""(?:src|<link[^>]*href)=["'](?:https?:)?//""", markup)


def test_every_icon_that_a_template_draws_is_in_the_sprite() -> None:
    drawn = {name for path in TEMPLATES for name in re.findall(r'icon\("(\w+)"\)', _markup(path))}
    assert drawn <= set(re.findall(r'<symbol id="(\w+)"', (STATIC / "icons.svg").read_text(encoding="utf-8")))


def test_the_licences_come_with_what_they_cover() -> None:
    text = (STATIC / "LICENSES.md").read_text(encoding="utf-8")
    for licence in (
        "SIL OPEN FONT LICENSE Version 1.1",
        "CC0 1.0 Universal",
        "The MIT License",
        "Apache License",
    ):
        assert licence in text


def test_the_lock_file_says_what_and_not_from_where() -> None:
    lock = json.loads((ROOT / "foundation" / "assets" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert all("integrity" in package and "resolved" not in package for package in packages.values())
