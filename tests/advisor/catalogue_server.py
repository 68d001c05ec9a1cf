"""The server of gpuhunt's catalogue, on this machine: the same files at the same paths."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HEAD = (
    "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size,gpu_vendor,flags,"
    "cpu_arch,provider_data"
)
AWS = """\
g5.xlarge,us-east-1,1.006,4,16,1,A10G,24,False,,nvidia,,x86,{}
g5.xlarge,eu-west-1,1.123,4,16,1,A10G,24,False,,nvidia,,x86,{}
g5.12xlarge,us-east-1,5.672,48,192,4,A10G,24,False,,nvidia,,x86,{}
g5.xlarge,us-east-1,0.41,4,16,1,A10G,24,True,,nvidia,,x86,{}
p4d.24xlarge,us-east-1,21.957642,96,1152,8,A100,40,False,,nvidia,,x86,{}
m5.large,us-east-1,0.096,2,8,0,,,False,,,,x86,{}
"""
RUNPOD = "NVIDIA A40,US,0.44,9,50,1,A40,48,False,,nvidia,,x86,{}\n"


@contextmanager
def serving(**files: str) -> Iterator[str]:
    """The address to name in GPUHUNT_CATALOG_URL, for these providers; others are missing."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider, _, rest = self.path.strip("/").partition("/")
            if provider not in files:
                self.send_error(404)
                return
            body = b"20261120-1\n" if rest == "version" else zipped(provider, files[provider])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def zipped(provider: str, rows: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(f"{provider}.csv", f"{HEAD}\n{rows}")
    return out.getvalue()
