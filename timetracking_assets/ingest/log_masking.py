"""Masking in the log lines of the libraries that see credentials: dlt, urllib3.

Our own messages are masked where they are made; these are not ours.
"""

from __future__ import annotations

import logging
from weakref import WeakSet

from timetracking_assets.ingest.redaction import Redactor

_LOGGERS = ("dlt", "urllib3.connectionpool", "urllib3.util.retry")
_redactors: WeakSet[Redactor] = WeakSet()


def mask_logs(redactor: Redactor) -> None:
    """Mask what `redactor` knows in those libraries' log lines, for as long as it is used."""
    _redactors.add(redactor)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if _masking not in logger.filters:
            logger.addFilter(_masking)


def _masking(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    if record.exc_info:
        # a handler would write the chained errors as they are
        record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_info = None
    for redactor in list(_redactors):
        text = redactor(text)
        record.exc_text = redactor(record.exc_text) if record.exc_text else record.exc_text
    record.msg, record.args = text, ()
    return True
