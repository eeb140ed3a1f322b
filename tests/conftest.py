"""Fixtures that every room's tests share."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FOR_GOOD = 10**9


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real imagery, where there is one beside the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no real imagery beside this checkout")
    return SHARED_DATA


class FileServer:
    """The test's folder over HTTP on loopback; see range_server.py."""

    def __init__(self, port: int, folder: str) -> None:
        self.port, self.folder = port, folder

    def url(self, name: str, user: str = "", query: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.port}/files/{self.folder}/{name}{query}"

    def fail(self, kind: str | int, first: int = 1, last: int = FOR_GOOD, on: str = "") -> None:
        """From now on "drop" the requests so numbered, answer "half" of them, or with that status."""
        self._put({"kind": kind, "first": first, "last": last, "on": on})

    def recover(self) -> None:
        self._put({})

    def served(self) -> list[dict[str, Any]]:
        """Requests since the last change."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/served") as answer:
            return list(json.load(answer))

    def _put(self, fault: dict[str, Any]) -> None:
        data = json.dumps(fault).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/fault", data, method="PUT")
        urllib.request.urlopen(request).close()  # noqa: S310 - the server's own address


@pytest.fixture(scope="session")
def _server_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    command = [sys.executable, str(Path(__file__).with_name("range_server.py")), str(tmp_path_factory.getbasetemp())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.kill()


@pytest.fixture
def serve(_server_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    """A server of the test's folder; those who read from it are impatient."""
    monkeypatch.setenv("GDAL_HTTP_RETRY_DELAY", "0.01")
    server = FileServer(_server_port, tmp_path.name)
    server.recover()
    return server
