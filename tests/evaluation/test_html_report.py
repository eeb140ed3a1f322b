"""The report is one file that holds all it shows."""

import base64
import re
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from shipdet.errors import OutputError
from shipdet.evaluation import html_report
from shipdet.evaluation.cases import Judged
from shipdet.evaluation.crops import SIDE_PX
from shipdet.evaluation.html_report import to_html, write_html
from shipdet.evaluation.summary import summarise
from shipdet.models.calibration import Calibration
from shipdet.models.weights import Card


class Reader(HTMLParser):
    """Collects tags that stay open and what the page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(judged: list[Judged], card: Card) -> str:
    return to_html(summarise(judged, "two pictures", card), judged, card)


def test_the_page_is_sound_and_loads_nothing(page: str):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert reader.sources
    assert all(source.startswith("data:image/") for source in reader.sources)
    assert not re.findall(r"url\(|<script|<link|@import", page)


def test_every_picture_can_be_read(page: str):
    kinds = re.findall(r'src="data:image/([\w+]+);base64,([^"]+)"', page)
    plots = [base64.b64decode(content) for kind, content in kinds if kind == "svg+xml"]
    photos = [base64.b64decode(content) for kind, content in kinds if kind == "jpeg"]
    assert len(plots) == 4
    assert all(ElementTree.fromstring(plot).tag.endswith("svg") for plot in plots)  # noqa: S314 - our own
    assert len(photos) == 3  # two missed, one false alarm
    assert {Image.open(BytesIO(photo)).size for photo in photos} == {(SIDE_PX, SIDE_PX)}


def test_the_figures_are_told(page: str):
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "two pictures" in text
    assert "5 labelled ships that count" in text
    assert "3 found, 1 false alarm" in text
    assert "side by side (gap &lt; 5 px) 2 1 0.500" in text
    assert "drawn &lt;harbours&gt;" in text  # what comes from outside is escaped
    assert "scores are the network's own" in text


def test_a_calibrated_model_says_so(card: Card):
    card = card.model_copy(update={"calibration": Calibration(slope=2.0, intercept=0.5), "types": ()})
    page = to_html(summarise([], "x", card), [], card)
    assert "times 2.000, plus 0.500" in page
    assert "<h2>Types</h2>" not in page
    assert "None was missed." in page  # and of no pictures there is nothing to show
    assert "There were none." in page


def test_the_file_is_written_whole(judged: list[Judged], card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(html_report, "to_html", lambda *_: "<!DOCTYPE html>")
    evaluation = summarise(judged, "x", card)
    out = tmp_path / "out"
    out.mkdir()
    write_html(evaluation, judged, card, out / "report.html")
    assert (out / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [p.name for p in out.iterdir()] == ["report.html"]
    with pytest.raises(OutputError, match="does not exist"):
        write_html(evaluation, judged, card, tmp_path / "nowhere" / "report.html")
