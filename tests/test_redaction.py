import logging

import pytest

from shipdet.redaction import redact_record, redacted, redacted_url

SECRETS = ("hunter2", "SECRET", "alice")


@pytest.mark.parametrize(
    "text",
    [
        "https://alice:hunter2@host/a.tif cannot be opened",
        "'/vsicurl/https://alice:hunter2@host:8080/a.tif?X-Amz-Signature=SECRET&b=1' not recognized.",
        "(https://host/a.tif?sig=SECRET), and https://host/b.tif?token='SECRET'",
        "https://alice:p/hunter2@host/a.tif",
        "https://alice:p?hunter2@host/a.tif",
        "https://host/a.tif#SECRET",
        "https://host/two words.tif?sig=SECRET failed",
        "/vsicurl?header.Authorization=Bearer%20SECRET&url=https%3A%2F%2Fhost%2Fa.tif cannot be opened",
        "PG:host=h user=u password=hunter2 table=t",
        "/vsizip//vsicurl/ftp://alice:hunter2@host/a.zip/a.tif?SECRET",
    ],
)
def test_messages_lose_the_secrets_of_urls(text: str):
    clean = redacted(text)
    assert not [secret for secret in SECRETS if secret in clean], clean


def test_messages_keep_what_is_no_secret():
    text = "https://host:8080/a@b/scene one.tif cannot be opened (HTTP response code: 503), is it a GeoTIFF?"
    assert redacted(text) == text
    assert redacted("'https://host/a.tif?sig=x' is not there") == "'https://host/a.tif' is not there"
    assert redacted("see http://[::1]:80/x@y.tif.") == "see http://[::1]:80/x@y.tif."
    assert redacted("lon=3 lat=51?") == "lon=3 lat=51?"


def test_redacting_twice_changes_nothing_more():
    once = redacted("https://alice:hunter2@host/a.tif?sig=SECRET password=hunter2")
    assert redacted(once) == once


def test_one_url_may_have_spaces():
    assert redacted_url("https://alice:hunter2@host/my scene.tif?sig=SECRET") == "https://host/my scene.tif"
    assert redacted_url("odd?name.tif") == "odd?name.tif"


def test_records_of_the_logging_module_are_redacted(caplog: pytest.LogCaptureFixture):
    log = logging.getLogger("a logger of this test")
    log.addFilter(redact_record)
    log.warning("reading %s", "https://alice:hunter2@host/a.tif?sig=SECRET")
    assert caplog.messages == ["reading https://host/a.tif"]
