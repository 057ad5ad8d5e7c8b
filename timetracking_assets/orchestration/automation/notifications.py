"""Messages to people, through apprise: chat, mail, pager, whatever its URLs name.

Only the sending belongs here; what is worth a message is decided in `failures_sensor.py`.
"""

from __future__ import annotations

import logging
import os
import re

from timetracking_assets.orchestration.ui_address import ui_address

VARIABLE = "TIMETRACKING_NOTIFY_URLS"


class NotifyError(Exception):
    """A message could not be sent. Its text never holds a URL: that may be a secret."""


def services() -> dict[str, str]:
    """apprise's URLs in TIMETRACKING_NOTIFY_URLS, separated by blanks or line ends, by names that
    may be shown: `number 1 (mailto)`."""
    named = {}
    for number, url in enumerate(os.environ.get(VARIABLE, "").split(), 1):
        # a text before a lone colon may be a user or a token
        scheme = re.match(r"[a-zA-Z0-9+.-]+(?=://)", url)
        named[f"number {number} ({scheme[0] if scheme else 'no scheme'})"] = url
    return named


def run_url(run_id: str) -> str:
    """The page of a run in the Dagster UI."""
    return f"{ui_address()}/runs/{run_id}"


def send(name: str, url: str, title: str, body: str, *, problem: bool) -> None:
    """Send a message to one of the `services`.

    Raises NotifyError if apprise is not installed, doesn't know the URL, or could not reach the
    service.
    """
    try:
        import apprise
    except ImportError:
        installed = False
    else:
        installed = True
    if not installed:
        raise NotifyError(
            f"{VARIABLE} is set, but apprise is not installed: pip install "
            "'timetracking-assets[notifications]'"
        )
    # its log lines hold URLs, and with them passwords
    logging.getLogger("apprise").addFilter(_nothing)
    kind = apprise.NotifyType.FAILURE if problem else apprise.NotifyType.SUCCESS
    service = apprise.Apprise()
    known = service.add(url)
    if not known or not service.notify(body=body, title=title, notify_type=kind):
        why = "was not reached" if known else "is not known to apprise"
        raise NotifyError(f"the message was not sent: of {VARIABLE}, {name} {why}")


def _nothing(record: logging.LogRecord) -> bool:
    return False
