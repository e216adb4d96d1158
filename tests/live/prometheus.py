"""A real Prometheus of one test, which scrapes one page of the test five times a second."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

CONFIG = """\
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
TIMEOUT = 30.0


class PageServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, text: str) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.text = text


class Page(BaseHTTPRequestHandler):
    """Serve `server.text` as metrics."""

    server: PageServer

    def do_GET(self) -> None:
        body = self.server.text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class Prometheus:
    def __init__(self, url: str, page: PageServer) -> None:
        self.url, self._page = url, page

    def show(self, text: str) -> None:
        """Replace the scraped page."""
        self._page.text = text

    def await_samples(self, query: str, count: int) -> None:
        """Wait until `query` has a value in each of the last `count` seconds."""
        until(lambda: self._ask(f"count_over_time(({query})[{count}s:1s])") >= count)

    def _ask(self, query: str) -> float:
        try:
            with urlopen(f"{self.url}/api/v1/query?{urlencode({'query': query})}", timeout=5) as answer:
                result = json.load(answer)["data"]["result"]
        except OSError:
            return 0.0
        return float(result[0]["value"][1]) if result else 0.0


def until(true, seconds: float = TIMEOUT) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not so within {seconds} s"
        threading.Event().wait(0.05)


@contextmanager
def running(program: str, port: int, folder: Path, text: str) -> Iterator[Prometheus]:
    page = PageServer(text)
    threading.Thread(target=page.serve_forever, daemon=True).start()
    config = folder / "prometheus.yml"
    config.write_text(CONFIG.format(port=page.server_port))
    words = [
        program,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    log = (folder / "log").open("w")
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    made = Prometheus(f"http://127.0.0.1:{port}", page)
    try:
        until(lambda: made._ask("vector(1)") == 1.0 or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield made
    finally:
        process.terminate()
        process.wait(timeout=20)
        page.shutdown()
        page.server_close()
        log.close()
