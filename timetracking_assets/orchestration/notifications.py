"""Messages to people, through apprise: chat, mail, pager, whatever its URLs name.

Only the sending belongs here; what is worth a message is decided in `trouble_sensor.py`.
"""

from __future__ import annotations

import logging
import os
import re

from timetracking_assets.ui_address import ui_address

VARIABLE = "TIMETRACKING_NOTIFY_URLS"


class NotifyError(Exception):
    """A message could not be sent. Its text never holds a URL: that may be a secret."""


def notify_urls() -> list[str]:
    """apprise's URLs in TIMETRACKING_NOTIFY_URLS, which are separated by blanks or line ends."""
    return os.environ.get(VARIABLE, "").split()


def run_url(run_id: str) -> str:
    """The page of a run in the Dagster UI."""
    return f"{ui_address()}/runs/{run_id}"


def send(urls: list[str], title: str, body: str, *, trouble: bool) -> None:
    """Send a message to all `urls`.

    Raises NotifyError if apprise is not installed, knows one of the URLs not, or could not reach
    one of the services.
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
    # what it logs holds URLs, and with them passwords
    logging.getLogger("apprise").addFilter(_nothing)
    kind = apprise.NotifyType.FAILURE if trouble else apprise.NotifyType.SUCCESS
    failed = []
    for number, url in enumerate(urls, 1):
        service = apprise.Apprise()
        known = service.add(url)
        if not known or not service.notify(body=body, title=title, notify_type=kind):
            scheme = re.match(r"[a-zA-Z0-9+.-]+(?=:)", url)
            name = f"number {number} ({scheme[0] if scheme else 'no scheme'})"
            failed.append(f"{name} {'was not reached' if known else 'is not known to apprise'}")
    if failed:
        raise NotifyError(f"the message was not sent: of {VARIABLE}, {'; '.join(failed)}")


def _nothing(record: logging.LogRecord) -> bool:
    return False
