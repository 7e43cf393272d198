"""What Lighthouse checks beside axe-core's rules, asked of a page in Chromium.

Its own names, so that a report of Lighthouse and a failure here speak of the same thing. What it
checks of scripts (libraries, source maps, permissions asked for on load) needs none but our own.
"""

from __future__ import annotations

from typing import Any

# Each is true of a page that is right.
CHECKS = {
    "js-libraries, valid-source-maps, geolocation-on-start": """
        [...document.scripts].every(s => s.getAttribute('src') === '/static/back.js')
    """,
    "doctype": "document.compatMode === 'CSS1Compat' && document.doctype.name === 'html'",
    "charset": "document.characterSet === 'UTF-8' && !!document.querySelector('meta[charset]')",
    "viewport, meta-viewport": """
        /width=device-width/.test(document.querySelector('meta[name=viewport]').content) &&
        !/user-scalable|maximum-scale/.test(document.querySelector('meta[name=viewport]').content)
    """,
    "document-title": """
        document.querySelectorAll('h1').length === 1 && document.title.trim() !== ''
    """,
    "html-has-lang": "document.documentElement.lang === language",
    "skip-link": """
        [...document.querySelectorAll('a[href^="#"]')].every(
            a => document.getElementById(a.getAttribute('href').slice(1)))
    """,
    "font-size": """
        [...document.querySelectorAll('body *')].every(e => e.closest('svg') ||
            ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) ||
            parseFloat(getComputedStyle(e).fontSize) >= 12)
    """,
    "image-aspect-ratio": """
        [...document.images].every(i => getComputedStyle(i).objectFit !== 'fill' ||
            Math.abs(i.naturalWidth / i.naturalHeight - i.clientWidth / i.clientHeight) < 0.05)
    """,
    "unsized-images": """
        [...document.images].every(i => i.hasAttribute('width') && i.hasAttribute('height'))
    """,
    "paste-preventing-inputs": """
        [...document.querySelectorAll('input:not([type=hidden])')].every(
            i => i.dispatchEvent(new ClipboardEvent('paste', {cancelable: true, bubbles: true})))
    """,
    "is-on-https, redirects-http": """
        performance.getEntriesByType('resource').every(
            r => new URL(r.name).origin === location.origin)
    """,
    "duplicate-id-aria": """
        [...document.querySelectorAll('[id]')].every(
            e => document.querySelectorAll('#' + CSS.escape(e.id)).length === 1)
    """,
}


def broken(page: Any, language: str) -> list[str]:
    """The names of the checks that a page fails."""
    checks = ",".join(f"{name!r}: () => {check.strip()}" for name, check in CHECKS.items())
    script = f"language => Object.entries({{{checks}}}).filter(([, f]) => !f()).map(([n]) => n)"
    found: list[str] = page.evaluate(script, language)
    return found


def hear_issues(page: Any, issues: list[str]) -> None:
    """Add to a list what the browser's own auditor says of a page, from now on: deprecations,
    inspector-issues, third-party-cookies, csp-xss."""
    debugger = page.context.new_cdp_session(page)
    debugger.on("Audits.issueAdded", lambda event: issues.append(str(event["issue"])))
    debugger.send("Audits.enable")
