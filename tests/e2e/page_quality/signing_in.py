"""The page that asks for a key takes one."""

from __future__ import annotations

from playwright.sync_api import Browser, expect
from samples import Samples, Service
from views import Reader


def check_signing_in(browser: Browser, service: Service, samples: Samples) -> None:
    reader = Reader(browser, service, None, locale="en-GB")
    page = reader.page
    path = f"{service.url}/jobs/{samples.complete}?q=index"
    page.goto(path)
    key = page.get_by_label("Key")
    expect(key).to_be_focused()
    metrics = service.new_key("--role", "metrics")
    for entered, reason in [
        ("lectern_unknown", "This key is not accepted"),
        ("Schlüssel", "This key is not accepted"),
        (metrics, "This key may not read recordings"),
    ]:
        key.fill(entered)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text(reason)
    assert reader.context.cookies() == [], "the session of a key that may not read has ended"
    key.fill(f" {service.key} ")
    key.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lecture 7")
    assert page.url == path and service.key not in page.content()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Signed out")
    assert reader.context.cookies() == []
    page.go_back()
    expect(page.get_by_label("Key")).to_be_focused()
    page.goto(f"{service.url}/logout")
    page.get_by_role("link", name="Sign in again").click()
    expect(page.get_by_label("Key")).to_be_focused()
    reader.close()
    print("a key begins a session in the browser, and a button ends it")
