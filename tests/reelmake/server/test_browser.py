"""The pages in a real browser: from the server, and from the disk."""

import shutil

import pytest

from make_pages import HOSTILE, SPOKEN
from reelmake.pages import static_pages

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")

PHONE, DESKTOP = {"width": 320, "height": 640}, {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        # Containers have no sandbox of their own.
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser):
    """An empty page. Nothing may be wrong with what it shows, and no text may run."""
    context = browser.new_context(viewport=DESKTOP)
    context.set_default_timeout(15_000)
    page, wrong = context.new_page(), []
    page.on("console", lambda told: told.type == "error" and wrong.append(told.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(f"it ran: {dialog.message}"), dialog.dismiss()))
    yield page
    context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def disk(folder):
    """The address of the pages on disk."""
    static_pages.write(folder / "results")
    return (folder / "results" / "pages").as_uri()


def until(page, is_so, what=None):
    """Wait until a function of the page says so. (Playwright's own needs `eval`, which pages don't
    allow.)"""
    for _ in range(300):
        if page.evaluate(is_so, what):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"it never was so: {is_so}")


def player_is_at(page, seconds):
    until(
        page,
        "at => { const p = document.getElementById('player');"
        " return p.readyState > 1 && !p.seeking && Math.abs(p.currentTime - at) < 0.2 }",
        seconds,
    )


def current_line(page):
    return page.locator("#lines [aria-current]").inner_text().split("\n")[-1].strip()


def test_search_click_and_the_player_is_at_that_time(page, site):
    page.goto(site.address)
    page.keyboard.press("/")
    page.keyboard.type("crowd cheers")
    page.keyboard.press("Enter")
    page.locator(".hit").first.click()
    player_is_at(page, 30)
    assert page.title().startswith("holiday")
    assert current_line(page) == "S2 the crowd cheers"
    cues = page.evaluate(
        "() => new Promise(done => { const track = document.querySelector('track');"
        " track.addEventListener('load', () => done(track.track.cues.length));"
        " track.track.mode = 'showing' })"
    )
    assert cues == 1


def test_pages_on_disk_need_no_server(page, disk):
    page.goto(f"{disk}/index.html")
    assert page.locator("#films li").count() == 5
    page.keyboard.press("/")
    page.keyboard.type("holi")
    until(page, "() => document.querySelectorAll('#films li').length === 1")
    page.locator("#films img").first.wait_for()
    assert page.locator("#films img").first.evaluate("image => image.decode().then(() => true)")
    page.locator("#films a").click()
    page.locator("#lines a", has_text=SPOKEN[2]).click()
    page.locator("#player").evaluate("player => player.pause()")
    assert page.url.endswith("#t=12")
    assert 12 <= page.locator("#player").evaluate("player => player.currentTime") < 16
    assert current_line(page) == f"Anna {SPOKEN[2]}"
    cues = page.locator("#player").evaluate(
        "player => { const [track] = player.textTracks; track.mode = 'showing';"
        " return track.cues.length }"
    )
    assert cues == len(SPOKEN)
    page.goto(f"{disk}/film/holiday/index.html#t=24.5")
    page.reload()
    player_is_at(page, 24.5)


def test_what_cannot_be_played_is_shown_by_clips_and_pictures(page, disk):
    page.goto(f"{disk}/film/old/index.html")
    assert "can't be relied on to play MPEG program streams" in page.locator("#notice").inner_text()
    assert page.locator("#player").get_attribute("src").endswith("/old/trailer.mp4")
    page.locator("#lines a", has_text=SPOKEN[1]).click()  # in the clip from 0 to 12
    until(page, "() => document.getElementById('player').currentTime >= 6")
    assert page.locator("#player").get_attribute("src").endswith("/old/clips/clip0.mp4")
    page.locator("#player").evaluate("player => player.pause()")
    assert current_line(page) == f"S2 {SPOKEN[1]}"
    page.locator("#lines a", has_text=SPOKEN[5]).click()  # in none
    assert "no clip has this moment" in page.locator("#still figcaption").inner_text()
    assert page.locator("#still img").evaluate("image => image.decode().then(() => true)")
    assert current_line(page) == f"S2 {SPOKEN[5]}"


def test_a_film_that_the_browser_refuses_says_so(page, disk, folder):
    html = folder / "results" / "pages" / "film" / "holiday" / "index.html"
    refused = html.with_name("refused.html")
    # The same page with a film that is none, as an unknown codec is to a browser.
    refused.write_text(html.read_text().replace("films/holiday.mp4", "results/catalog.json"))
    page.goto(f"{disk}/film/holiday/refused.html#t=41")
    page.locator("#notice").wait_for()
    assert "can't play the film" in page.locator("#notice").inner_text()
    player_is_at(page, 5)  # of the clip that begins at 36
    assert page.locator("#player").get_attribute("src").endswith("/clips/clip3.mp4")
    refused.unlink()


def test_keys(page, site):
    page.goto(f"{site.address}film/holiday#t=12")
    player_is_at(page, 12)
    page.keyboard.press("ArrowRight")
    player_is_at(page, 17)
    page.keyboard.press("ArrowDown")
    player_is_at(page, 18)
    page.keyboard.press("ArrowUp")
    player_is_at(page, 12)
    page.keyboard.press(" ")
    until(page, "() => !document.getElementById('player').paused")
    page.keyboard.press(" ")
    until(page, "() => document.getElementById('player').paused")
    page.keyboard.press("/")
    page.keyboard.type("a b")  # which is text there, not keys
    assert page.locator("#q").input_value() == "a b"
    page.keyboard.press("Escape")
    assert page.locator("#q").input_value() == ""
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")
    page.goto(site.address)
    page.locator("#films a").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement === document.querySelectorAll('#films a')[1]")


def test_no_text_runs(page, site, disk):
    for address in (
        f"{site.address}film/{HOSTILE}",
        f"{site.address}search?q=alert",
        f"{site.address}search?q=%3Cscript%3Ealert(1)%3C/script%3E",
        site.address,
        f"{disk}/index.html",
        f"{disk}/film/{HOSTILE}/index.html",
    ):
        page.goto(address, wait_until="load")
        page.mouse.move(200, 300)
        assert page.locator("img[src=x], [onload], [onerror], [z]").count() == 0


def test_the_status_is_live(page, site):
    page.goto(f"{site.address}status")
    page.locator(".tile b", has_text="5").first.wait_for()
    assert "broken manifest it broke" in page.locator("#failed").inner_text()


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_nothing_is_wider_than_the_screen(page, site, size):
    page.set_viewport_size(size)
    for path in ("", "film/holiday", f"film/{HOSTILE}", "search?q=crowd", "status", "login"):
        page.goto(f"{site.address}{path}")
        page.wait_for_timeout(50)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"], path
