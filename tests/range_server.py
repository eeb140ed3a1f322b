"""A small HTTP server for the tests: range requests, a count of what was sent, and faults as a test asks for them.

A process of its own: rasterio holds Python's lock in some calls that go over the network, so a server in
a thread of the same process could not answer. Told what to do by PUT /fault, asked by GET /served.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from aiohttp import web


class State:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.served: list[dict[str, Any]] = []
        self.fault: dict[str, Any] = {}

    async def set_fault(self, request: web.Request) -> web.Response:
        self.fault = await request.json()
        self.served.clear()
        return web.Response()

    async def tell(self, _request: web.Request) -> web.Response:
        return web.json_response(self.served)

    async def file(self, request: web.Request) -> web.StreamResponse:
        path, size = self.folder / request.match_info["name"], 0
        asked = request.headers.get("Range")
        if path.is_file() and request.method == "GET":
            first, last = (asked or "bytes=0-").removeprefix("bytes=").split("-")
            size = min(int(last or 1e18) + 1, path.stat().st_size) - int(first)
        authorization = request.headers.get("Authorization")
        self.served.append({"path": request.path_qs, "range": asked, "sent": size, "authorization": authorization})
        kind = self._faulty(request)
        if isinstance(kind, int):
            return web.Response(status=kind)
        if kind == "half":
            answer = web.StreamResponse(status=206, headers={"Content-Length": str(max(size, 2))})
            await answer.prepare(request)
            await answer.write(bytes(size // 2))
        if kind is not None and request.transport is not None:
            request.transport.abort()
            return web.Response()
        return web.FileResponse(path) if path.is_file() else web.Response(status=404)

    def _faulty(self, request: web.Request) -> Any:
        """What to do wrong: from the request `first` to `last`, where the path has `on` in it."""
        fault, number = self.fault, len(self.served)
        if not fault or fault["on"] not in request.path_qs or not fault["first"] <= number <= fault["last"]:
            return None
        return fault["kind"]


async def serve(folder: Path) -> None:
    state, app = State(folder), web.Application()
    app.router.add_put("/fault", state.set_fault)
    app.router.add_get("/served", state.tell)
    app.router.add_get("/files/{name:.*}", state.file)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until whoever started it is gone


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
