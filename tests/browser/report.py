#!/usr/bin/env python3
"""Opens the report in headless Chromium as a reader would, and as an attacker would hope for.

The organisation that it reports on is made here: its names are markup, script, formulas and direction marks. The page
must show them as text, ask for nothing over the network, filter, sort, open a dossier, and print.

Usage: report.py PATWATCH FOLDER   (screenshots and the PDF go to FOLDER)
"""

import json
import pathlib
import subprocess
import sys
import uuid

from playwright.sync_api import expect, sync_playwright

patwatch, folder = sys.argv[1], pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]
HOSTILE = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror=\"window.ran = 2\">",
    "</script><script>window.ran = 3</script>",
    "=HYPERLINK(\"http://127.0.0.1:9/\",\"click\")",
    "[link](javascript:window.ran=4) `code` | cell",
    "\u202egnp.exe \u200bhidden",
    "\u001b[31mred\u001b[0m",
]


def organisation(place):
    """Audit events and an inventory whose every free text is hostile."""
    place.mkdir(parents=True, exist_ok=True)
    scope = str(uuid.UUID(int=77))
    tokens, events = [], []
    for i, name in enumerate(HOSTILE):
        token, owner = str(uuid.UUID(int=0xABC000 + i << 64 | i + 1)), str(uuid.UUID(int=0x6000 << 64 | i + 1))
        tokens.append({
            "authorizationId": token, "userId": owner, "displayName": name, "scope": "app_token", "validFrom": "2026-01-01T00:00:00",
            "validTo": "2027-06-01T00:00:00", "targetAccounts": None if i % 2 else [scope], "isValid": True, "isPublic": False,
            "clientId": str(uuid.UUID(int=0)),
        })
        for day in range(1, 31):
            event = str(uuid.UUID(int=0xE000 << 80 | i << 16 | day))
            events.append({
                "id": event, "correlationId": event, "activityId": event, "actorCUID": owner, "actorUserId": owner,
                "actorUPN": f"owner{i}@hostile.example", "actorDisplayName": name, "authenticationMechanism": f"PAT_Unscoped authorizationId: {token}"[:64],
                "timestamp": f"2026-03-{day:02}T{9 + i:02}:00:00.0000000Z", "scopeType": "organization", "scopeDisplayName": "hostile (Organization)",
                "scopeId": scope, "projectId": str(uuid.UUID(int=5)), "projectName": name, "ipAddress": f"203.0.113.{10 + i}",
                "userAgent": name if day > 20 else "curl/8.5.0", "actionId": "Git.RepositoryCreated", "area": "Git", "category": "create",
                "details": name, "data": {"RepoName": name},
            })
    (place / "audit.json").write_text(json.dumps({"decoratedAuditLogEntries": events, "hasMore": False, "continuationToken": None}))
    (place / "inventory.json").write_text(json.dumps({"value": tokens, "continuationToken": None}))


hostile, bundle = folder / "hostile", folder / "bundle"
organisation(hostile)
subprocess.run([patwatch, "-q", "report", "--from", hostile, "--org", "hostile", "--output", bundle], check=True)

with sync_playwright() as play:
    browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=False)
    page = context.new_page()
    requests, complaints = [], []
    page.on("request", lambda r: requests.append(r.url))
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    address = (bundle / "index.html").resolve().as_uri()
    page.goto(address)
    page.screenshot(path=folder / "light.png")

    # Nothing leaves, and nothing of the names has run or become an element.
    assert requests == [address], requests
    assert complaints == [], complaints
    assert page.evaluate("window.ran") is None
    assert page.locator("img[src='x']").count() == 0 and page.locator("a[href^='javascript']").count() == 0
    shown = page.locator("#tokens").inner_text()
    assert "<script>window.ran = 1</script>" in shown, "the name is not shown as text"
    assert "\u202e" not in page.locator("body").inner_text(), "a direction mark reached the page"

    # Filter.
    rows = page.locator("#t-table tbody tr.row, #t-table tbody tr:not(.detail)")
    everything = rows.count()
    assert everything == len(HOSTILE), everything
    search = page.locator("#t-tools input[type=search]")
    search.fill("owner3@hostile.example")
    expect(rows).to_have_count(1)
    assert "HYPERLINK" in rows.first.inner_text()
    page.locator("#t-tools button", has_text="Clear").click()
    expect(rows).to_have_count(everything)

    # Sort: the order turns, and a screen reader is told.
    head = page.locator("#t-table th", has_text="Owner")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    first = rows.first.inner_text()
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert rows.last.inner_text() == first

    # A dossier opens, by keyboard too, and closes.
    search.fill("owner0@hostile.example")
    expect(rows).to_have_count(1)
    rows.first.locator("button.link").first.focus()
    page.keyboard.press("Enter")
    dossier = page.locator("dialog#dossier")
    expect(dossier).to_be_visible()
    assert "owner0@hostile.example" in dossier.inner_text() and "<script>window.ran = 1</script>" in dossier.inner_text()
    page.screenshot(path=folder / "dossier.png")
    page.keyboard.press("Escape")
    expect(dossier).to_be_hidden()

    # Back closes the dossier and stays in the report; Forward opens it again.
    rows.first.locator("button.link").first.click()
    expect(dossier).to_be_visible()
    page.go_back()
    expect(dossier).to_be_hidden()
    assert page.url.split("#")[0] == address, page.url
    page.go_forward()
    expect(dossier).to_be_visible()
    dossier.locator("button.close").click()
    expect(dossier).to_be_hidden()

    # Every control has a name.
    nameless = page.evaluate("""() => [...document.querySelectorAll('button, input, select, a')]
        .filter((e) => !(e.innerText || e.getAttribute('aria-label') || e.closest('label')?.innerText || '').trim())
        .map((e) => e.outerHTML)""")
    assert nameless == [], nameless

    page.emulate_media(color_scheme="dark")
    page.screenshot(path=folder / "dark.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 420, "height": 900})
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 420, f"the narrow page scrolls sideways: {wide}"
    stuck = page.evaluate("""() => [...document.querySelectorAll('main *')]
        .filter((e) => e.scrollWidth > e.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && e.tabIndex < 0)
        .map((e) => e.outerHTML.slice(0, 120))""")
    assert stuck == [], f"no key scrolls these: {stuck}"
    page.screenshot(path=folder / "narrow.png")
    page.pdf(path=folder / "report.pdf", format="A4")
    assert page.evaluate("window.ran") is None and requests == [address] and complaints == [], (requests, complaints)
    browser.close()
assert (folder / "report.pdf").stat().st_size > 10_000
print(f"the report holds in Chromium: {everything} tokens, no request beside the page; pictures in {folder}")
