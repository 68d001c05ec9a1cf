"""What a fake instance runs: a web server that answers everything, a program of its own.

``server.py BOOK [PORT]`` reads in ``BOOK`` when the instance named in its environment shall answer and
end. It must start quickly and imports nothing of Poorwill.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class _Answer(BaseHTTPRequestHandler):
    """``/crash?code=3`` ends the instance, ``/slow?seconds=5`` takes its time; all else is answered."""

    protocol_version = "HTTP/1.1"
    instance = ""

    def _answer(self) -> None:
        place = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(place.query).items()}
        size = int(self.headers.get("Content-Length") or 0)
        while size > 0:
            size -= len(self.rfile.read(min(size, 65536))) or size
        if place.path == "/slow":
            time.sleep(float(query.get("seconds", "5")))
        if place.path == "/crash":
            print("asked to crash", flush=True)
            os._exit(int(query.get("code", "1")))
        body = json.dumps({"instance": self.instance, "method": self.command, "path": self.path}) + "\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def log_message(self, format: str, *args: object) -> None:
        print(format % args, flush=True)


def main(book: str, port: str = "") -> None:
    instance = os.environ["POORWILL_INSTANCE"].rpartition("/")[2]
    record = json.loads(Path(book).read_text())["instances"][instance]
    print(f"hello, this is {instance}", flush=True)
    if record["ends_at"] is not None:
        left = max(0.0, record["ends_at"] - time.time())
        threading.Timer(left, os._exit, [record["exit_code"]]).start()
    longest = record["answers_at"] - record["asked_at"]  # the clock may have been set back meanwhile
    time.sleep(min(max(0.0, record["answers_at"] - time.time()), longest))
    if not port:
        threading.Event().wait()
    _Answer.instance = instance
    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), _Answer)
    print(f"answering on port {port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
