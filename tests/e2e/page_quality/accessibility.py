"""axe-core on every page: it finds nothing in any language, colour scheme or size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page
from samples import Samples, Service
from views import DESKTOP, LANGUAGES, PHONE, SCHEMES, Reader, View, new_keys, views

# Swagger UI is not ours.
NOT_OURS = {"docs": ["#swagger-ui"]}
# Off by default.
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


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
            for size in (DESKTOP, PHONE):
                reader.page.set_viewport_size(size)
                for scheme in SCHEMES:
                    reader.page.emulate_media(color_scheme=scheme)
                    count += 1
                    for finding in find(reader.page, view):
                        findings.setdefault(finding, []).append(f"{view.name} {language} {size['width']} {scheme}")
        for reader in readers.values():
            reader.close()
    text = "\n".join(f"{finding}\n    on {', '.join(pages)}" for finding, pages in findings.items())
    assert not findings, f"{len(findings)} findings:\n{text}"
    print(f"axe-core: no findings in {count} pages")


def find(page: Page, view: View) -> list[str]:
    """What axe-core finds: each rule with each element that breaks it."""
    context = {"exclude": [[selector] for selector in NOT_OURS.get(view.name, [])]}
    results: dict[str, Any] = page.evaluate("([context, options]) => axe.run(context, options)", [context, OPTIONS])
    assert results["testEngine"]["name"] == "axe-core"
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for violation in results["violations"]
        for node in violation["nodes"]
    ]
