"""Clips are dragged to other places, with a mouse and a finger, and the reel says that it is out of
date until they are back."""

from __future__ import annotations

from playwright.sync_api import Browser, Locator, expect

from visit import Lecture, Visit

OUTDATED = "The reel is out of date"


def center(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box, "it is not shown"
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def check_order(browser: Browser, visit: Visit, lecture: Lecture) -> None:
    titles = lecture.titles()
    assert len(titles) > 1, f"there is nothing to drag: {titles}"
    last_first = [titles[-1], *titles[:-1]]
    page = visit.page
    expect(visit.cards()).to_have_text(titles)
    expect(page.get_by_text(OUTDATED)).to_have_count(0)
    page.get_by_role("heading", name="Clips", exact=True).scroll_into_view_if_needed()

    # Escape gives it up.
    grips = page.locator(".grip")
    grips.last.scroll_into_view_if_needed()
    page.mouse.move(*center(grips.last))
    page.mouse.down()
    page.mouse.move(*center(visit.cards().first), steps=5)
    expect(visit.cards()).to_have_text(last_first)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(visit.cards()).to_have_text(titles)
    assert lecture.titles() == titles

    page.mouse.move(*center(grips.last))
    page.mouse.down()
    page.mouse.move(*center(visit.cards().first), steps=5)
    page.mouse.up()
    expect(page.get_by_text(OUTDATED)).to_be_visible()
    expect(page.get_by_text("All clips are cut, but the reel needs cutting again.")).to_be_visible()
    expect(visit.cards()).to_have_text(last_first)
    assert lecture.titles() == last_first
    drag_back_with_a_finger(browser, visit, lecture)
    assert lecture.titles() == titles
    # The other tab does not tell: it is another browser.
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(visit.cards()).to_have_text(titles)
    expect(page.get_by_text(OUTDATED)).to_have_count(0)

    # A drag that was begun on an old page moves nothing to an unseen place.
    first, *_ = lecture.clips()
    visit.call("PATCH", f"/clips/{first['clip_id']}", {"clip_order": 1_000})
    changed = lecture.titles()
    grips.first.scroll_into_view_if_needed()
    page.mouse.move(*center(grips.first))
    page.mouse.down()
    page.mouse.move(*center(visit.cards().last), steps=5)
    page.mouse.up()
    expect(page.get_by_role("alert").filter(has_text="Somebody else")).to_be_visible()
    expect(visit.cards()).to_have_text(changed)
    assert lecture.titles() == changed
    visit.has_stayed()


def drag_back_with_a_finger(browser: Browser, visit: Visit, lecture: Lecture) -> None:
    # All cards are in view.
    context = browser.new_context(locale="en-GB", has_touch=True, viewport={"width": 390, "height": 2600})
    hand = Visit(context, visit.client)
    hand.open(lecture.path)
    expect(hand.page.get_by_text(OUTDATED)).to_be_visible()
    hand.page.locator("#clips").evaluate("(clips) => clips.scrollIntoView()")
    touch = context.new_cdp_session(hand.page)
    (x, y), (_, to) = center(hand.page.locator(".grip").first), center(hand.cards().last)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for part in range(1, 11):
        at = {"x": x, "y": y + (to - y) * part / 10}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(hand.page.get_by_text(OUTDATED)).to_have_count(0)
    assert hand.errors == [], hand.errors
    context.close()
