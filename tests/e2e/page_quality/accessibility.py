"""axe-core on every page: it finds nothing in any language, colour scheme or size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page
from samples import Samples, Service
from views import DESKTOP, LANGUAGES, PHONE, SCHEMES, Reader, new_keys, views

# Swagger UI is not ours, and most lines of a transcript differ in their text only.
LEFT_OUT = ["#swagger-ui > *", "#lines li:not([aria-current], .is-edited):nth-child(n + 20)"]
# The size of targets is off by default.
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
# The rules that depend on colours.
COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}
# Sizes and colour schemes by language. Colours are the same in each.
VARIANTS = {
    LANGUAGES[0]: [(size, scheme) for size in (DESKTOP, PHONE) for scheme in SCHEMES],
    LANGUAGES[1]: [(DESKTOP, SCHEMES[0]), (PHONE, SCHEMES[1])],
}


def check_accessibility(browser: Browser, service: Service, samples: Samples, node_packages: Path) -> None:
    axe = (node_packages / "node_modules/axe-core/axe.min.js").read_text()
    keys = new_keys(service)
    findings: dict[str, list[str]] = {}
    count = 0
    for language in LANGUAGES:
        readers = {name: Reader(browser, service, key, locale=language) for name, key in keys.items()}
        for view in views(samples):
            reader = readers[view.reader]
            reader.page.set_viewport_size(DESKTOP)
            reader.open(view)
            # The policy of the page is for its own scripts; this one comes from the debugger.
            reader.page.evaluate(axe)
            sizes = []
            for size, scheme in VARIANTS[language]:
                reader.page.set_viewport_size(size)
                reader.page.emulate_media(color_scheme=scheme)
                options = COLOURS if size in sizes else OPTIONS
                sizes.append(size)
                count += 1
                for finding in find(reader.page, options):
                    findings.setdefault(finding, []).append(f"{view.name} {language} {size['width']} {scheme}")
        for reader in readers.values():
            reader.close()
    text = "\n".join(f"{finding}\n    on {', '.join(pages)}" for finding, pages in findings.items())
    assert not findings, f"{len(findings)} findings:\n{text}"
    print(f"axe-core: no findings in {count} pages")


def find(page: Page, options: dict[str, Any]) -> list[str]:
    """What axe-core finds: each rule with each element that breaks it."""
    context = {"exclude": [[selector] for selector in LEFT_OUT]}
    results: dict[str, Any] = page.evaluate("([context, options]) => axe.run(context, options)", [context, options])
    assert results["testEngine"]["name"] == "axe-core"
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for violation in results["violations"]
        for node in violation["nodes"]
        if not (violation["id"] == "target-size" and is_exempt(node))
    ]


def is_exempt(node: dict[str, Any]) -> bool:
    """Whether a target may be small (WCAG 2.2, 2.5.8): edges of clips are where their times are, and
    the form of a clip changes the same; a line at the edge of the list is seen when scrolled to."""
    is_edge = 'class="edge ' in node["html"]
    is_cut_off = 'class="seek"' in node["html"] and "partially obscured" in node["failureSummary"]
    return is_edge or is_cut_off
