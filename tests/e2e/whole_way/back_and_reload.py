"""What the back button and a reload leave as it was: the place in the list, the recording and its
time; and what they warn of."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from harness.processes import wait_until

from lecture_file import LECTURE
from visit import Lecture, Visit


def check_back_and_reload(visit: Visit, lecture: Lecture) -> None:
    page = visit.page
    visit.open("/")
    expect(page.locator("#recordings tbody tr")).to_have_count(2)
    order = page.get_by_role("combobox", name="Order")
    search = page.get_by_role("searchbox")

    # The second page of a list with a filter and an order.
    order.select_option("updated_at")
    page.wait_for_url("**/*order=updated_at*")
    search.fill(".mp4")
    search.press("Enter")
    page.wait_for_url("**/*filename=.mp4*")
    page.goto(f"{page.url}&limit=1")
    page.get_by_role("link", name="Next page").click()
    page.wait_for_url("**/*cursor=*")
    in_list = page.url
    rows = page.locator("#recordings tbody tr")
    expect(rows).to_have_count(1)
    shown = rows.inner_text()
    rows.get_by_role("link").first.click()
    page.wait_for_url("**/jobs/*")
    page.reload()
    expect(page.locator("#recording")).to_be_visible()
    page.go_back()
    assert page.url == in_list, page.url
    for _ in range(2):
        expect(rows).to_have_count(1)
        assert rows.inner_text() == shown, rows.inner_text()
        expect(search).to_have_value(".mp4")
        expect(order).to_have_value("updated_at")
        page.reload()
    # The first page, the one without a limit, that without a search, and the whole list.
    for address in ("limit=1", "filename=.mp4", "order=updated_at"):
        page.go_back()
        assert address in page.url, page.url
    expect(search).to_have_value("")
    expect(order).to_have_value("updated_at")
    page.go_back()
    expect(page).to_have_url(f"{visit.url}/")
    expect(order).to_have_value("created_at")
    expect(page.locator("#recordings tbody tr")).to_have_count(2)
    check_recording(visit, lecture)


def check_recording(visit: Visit, lecture: Lecture) -> None:
    page = visit.page
    visit.open(lecture.path)
    seek = page.locator("#lines a.seek").nth(2)
    seconds = float(seek.get_attribute("data-seek") or 0)
    seek.click()
    expect(page).to_have_url(re.compile(r"#t=[\d.]+$"))
    page.reload()
    position = "(media) => media.currentTime"
    wait_until("the player is where it was", lambda: abs(page.locator("#media").evaluate(position) - seconds) < 0.1)

    # What was typed is not lost without a word.
    title = visit.cards().first.inner_text()
    visit.card(title).get_by_role("button", name="Edit").click()
    field = page.get_by_label("Title")
    field.fill("Not stored yet")
    visit.dialogs.clear()
    page.close(run_before_unload=True)
    wait_until("the page warns", lambda: page.evaluate("1") and visit.dialogs)
    assert visit.dialogs == ["beforeunload"], visit.dialogs
    expect(field).to_have_value("Not stored yet")
    # Nor by a change of somebody else.
    clip = lecture.clips()[-1]
    visit.call("PATCH", f"/clips/{clip['clip_id']}", {"topic": "Another"})
    with page.expect_response(lambda answer: answer.request.resource_type == "fetch" and "/jobs/" in answer.url):
        page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(field).to_have_value("Not stored yet")
    page.get_by_role("button", name="Discard").click()
    page.reload()
    expect(visit.card(title)).to_be_visible()
    assert visit.dialogs == ["beforeunload"], "there was nothing to warn of"
    page.go_back()
    expect(visit.row(LECTURE)).to_be_visible()
