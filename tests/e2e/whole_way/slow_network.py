"""Over a slow network the page says what it does, and nothing is done twice."""

from __future__ import annotations

from playwright.sync_api import expect

from visit import Lecture, Visit

# Milliseconds until an answer, and bytes in a second.
LATENCY = 1000
THROUGHPUT = 60_000


def check_slow_network(visit: Visit, lecture: Lecture) -> None:
    page = visit.page
    working = page.locator("#working")
    before = lecture.titles()
    network = visit.limit_network(LATENCY, THROUGHPUT, THROUGHPUT)
    try:
        page.get_by_role("button", name="New clip from here").dblclick()
        expect(working).to_have_text("Working …")
        title = page.get_by_label("Title")
        expect(title).to_be_visible()
        assert len(lecture.titles()) == len(before) + 1, lecture.titles()
        assert len(visit.sent("POST", "/clips")) == 1

        title.fill("Made slowly")
        visit.requests.clear()
        page.get_by_role("button", name="Save").dblclick()
        expect(working).to_have_text("Working …")
        card = visit.card("Made slowly")
        expect(card).to_be_visible()
        assert len(visit.sent("PATCH", "/clips/")) == 1
        expect(page.get_by_role("alert").filter(has_text="Somebody else")).to_have_count(0)

        visit.requests.clear()
        visit.dialogs.clear()
        card.get_by_role("button", name="Delete").dblclick()
        expect(card).to_have_count(0)
        assert len(visit.sent("DELETE", "/clips/")) == 1
        assert len(visit.dialogs) == 1, visit.dialogs
        expect(working).to_be_empty()
    finally:
        visit.unlimit_network(network)
    assert lecture.titles() == before
    visit.has_stayed()
