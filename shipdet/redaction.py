"""Text without what a URL may carry in secret: user and password, and the query, which may hold a signature.

Queries go whole: no list of parameters knows every provider's way to sign.
"""

import logging
import re

_VSI_OPTIONS = re.compile(r"(/vsi\w+)\?\S*", re.IGNORECASE)
"""GDAL's way to give headers and tokens with a path: /vsicurl?header.Authorization=...&url=..."""
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?P<rest>[^\s<>]+)", re.IGNORECASE)
_END = re.compile(r"""[?#]\S*?(?=['")\]},;:.]*$)""")
"""A query or fragment up to the punctuation of the sentence that the URL stands in."""
_QUERY = re.compile(r"""\?[^\s?=&/]+=\S*?(?=['")\]},;:.]*(?:\s|$))""")
"""A query whose URL had a space in its path."""
_NAMED = re.compile(r"\b(password|passwd|secret|token|authorization)=('[^']*'|\"[^\"]*\"|[^\s&;,'\"]+)", re.IGNORECASE)


def redacted(text: str) -> str:
    """A message with the secrets of all URLs in it left out."""
    text = _VSI_OPTIONS.sub(r"\1", text)
    text = _URL.sub(lambda found: found["scheme"] + _END.sub("", _without_user(found["rest"])), text)
    return _NAMED.sub(r"\1=***", _QUERY.sub("", text))


def redacted_url(url: str) -> str:
    """One URL, which may have spaces in it, without its secrets; other text as it is."""
    url = _VSI_OPTIONS.sub(r"\1", url)
    head, mark, rest = url.partition("://")
    if not mark:
        return url
    return head + mark + re.split(r"[?#]", _without_user(rest), maxsplit=1)[0]


def redact_record(record: logging.LogRecord) -> bool:
    """A filter of the logging module that lets everything pass, without secrets."""
    record.msg, record.args = redacted(record.getMessage()), ()
    return True


def _without_user(rest: str) -> str:
    """What follows a URL's `://`, without `user:password@`; a password with / or ? in it ends at the last @."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return rest[authority.rindex("@") + 1 :]
    _, colon, port = authority.rpartition(":")
    odd = bool(colon) and not authority.startswith("[") and bool(re.search(r"[^\d'\")\],;.]", port))
    return rest[rest.rindex("@") + 1 :] if odd and "@" in rest else rest
