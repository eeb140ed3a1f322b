from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shipdet.errors import LabelsError
from shipdet.labels.frame import Frame
from shipdet.labels.voc import read_voc

Write = Callable[[str, str], Path]
MIDDLE = np.array([200, 150])
SIZE = "<size><width>400</width><height>300</height><depth>3</depth></size>"
UPRIGHT = """<object><name>ship</name><difficult>0</difficult>
<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>60</xmax><ymax>50</ymax></bndbox></object>"""
TURNED = """<object><name>Tanker</name><difficult>1</difficult>
<robndbox><cx>200</cx><cy>150</cy><w>60</w><h>16</h><angle>{angle}</angle></robndbox></object>"""


def annotation(*objects: str) -> str:
    return f"<annotation><filename>harbour.png</filename>{SIZE}\n{''.join(objects)}</annotation>"


def test_upright_boxes_become_places_to_ignore_and_the_reader_says_so(write: Write, plain: Frame):
    labels, notes = read_voc(write("a.xml", annotation(UPRIGHT, UPRIGHT)), plain)
    assert len(labels) == 0
    assert [area.bounds for area in labels.ignore] == [(10, 20, 60, 50)] * 2
    assert labels.ignores(np.array([[30, 30], [5, 5]])).tolist() == [True, False]
    assert [str(note) for note in notes] == ["upright boxes, which give no ends, became places to ignore: 2"]


@pytest.mark.parametrize("degrees", [0, 30, 120])
def test_turned_boxes_are_ships(write: Write, turned_box, degrees: float):
    labels, notes = read_voc(write("a.xml", annotation(TURNED.format(angle=np.radians(degrees)))))
    axis = 30 * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    np.testing.assert_allclose(np.sort([labels.bow[0], labels.stern[0]], axis=0),
                               np.sort([MIDDLE + axis, MIDDLE - axis], axis=0), atol=1e-9)  # fmt: skip
    assert labels.beam == pytest.approx([16])
    assert labels.difficult.all()
    assert labels.type == ("tanker",)
    assert notes == ()


def test_only_the_classes_asked_for_are_taken(write: Write):
    labels, notes = read_voc(write("a.xml", annotation(UPRIGHT, TURNED.format(angle=0))), classes={"tanker"})
    assert len(labels) == 1
    assert labels.ignore == ()
    assert [str(note) for note in notes] == ["dropped, ship is not among the classes taken: 1"]


def test_what_is_known_to_be_no_ship_is_dropped_and_counted(write: Write):
    labels, notes = read_voc(
        write("a.xml", annotation(UPRIGHT.replace("ship", "Storage-Tank"), TURNED.format(angle=0)))
    )
    assert (len(labels), len(labels.ignore)) == (1, 0)
    assert [str(note) for note in notes] == ["dropped, storage-tank is no ship: 1"]


@pytest.mark.parametrize("hostile", [
    '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]>\n',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n',
    '<!DOCTYPE a SYSTEM "http://localhost/a.dtd">\n',
])  # fmt: skip
def test_hostile_files_are_refused(write: Write, hostile: str):
    path = write("a.xml", hostile + annotation(UPRIGHT).replace("ship", "&x;" if "ENTITY" in hostile else "ship"))
    with pytest.raises(LabelsError, match=r"a\.xml:1: expected XML without document type and entities"):
        read_voc(path)


@pytest.mark.parametrize(("text", "where"), [
    ("<annotation>\n<object>\n", ":3: expected XML, got "),
    ("not xml", ":1: expected XML, got "),
    ('<?xml version="1.0" encoding="foo-bar"?>\n<annotation/>', ":1: expected an XML file of Pascal VOC, got "),
    ("<annotation>\n" + UPRIGHT.replace("60", "1e300") + "</annotation>", ":3: expected numbers xmin"),
    ("\n<kml></kml>", ":2: expected an <annotation>"),
    ("<annotation>\n\n<object><name>ship</name></object></annotation>", ":3: expected a <bndbox> in <object>"),
    ("<annotation>\n" + UPRIGHT.replace("60", "wide") + "</annotation>", ":3: expected numbers xmin, ymin, xmax, ymax"),
    ("<annotation>\n" + UPRIGHT.replace("60", "nan") + "</annotation>", ":3: expected numbers xmin"),
    ("<annotation><size><width>9</width></size></annotation>", ":1: expected numbers width, height in <size>"),
    (annotation().replace("400", "500"), ":1: these are labels of a picture of 500 x 300 pixels, but harbour.png has"),
])  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(write: Write, plain: Frame, text: str, where: str):
    path = write("a.xml", text)
    with pytest.raises(LabelsError) as caught:
        read_voc(path, plain)
    assert str(caught.value).startswith(f"{path}{where}")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(LabelsError, match=r"a\.xml: expected an XML file"):
        read_voc(tmp_path / "a.xml")
