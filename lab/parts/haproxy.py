"""HAProxy as the content of an image, the distribution's and the newest: the program, the libraries it needs, and a busybox.

An image FROM scratch is built of it, because no image can be pulled from the internet. Unpacked rather than installed: the
package would start a server at every boot.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from parts.errors import LabError
from parts.machine import report, run, unpack
from parts.sources import debian_options
from parts.tools import busybox

NEWEST = "sid"
INTERPRETER = re.compile(rb"/lib[\w/]*/ld-linux[\w.-]*")
DOCKERFILE = """\
FROM scratch
COPY . /
RUN ["/bin/busybox", "sh", "-c", "busybox --install -s /bin && mkdir -p /tmp && chmod 1777 /tmp"]
CMD ["haproxy"]
"""


def haproxy(state: Path) -> str:
    """Return build contexts, as PATH lists directories: the distribution's HAProxy, and the newest if there is one."""
    found = [_context(state, "haproxy", ())]
    try:
        found.append(_context(state, "haproxy-newest", debian_options(state / "packages/haproxy-sources", NEWEST)))
    except LabError as error:
        report(f"only one HAProxy: {error}")
    return ":".join(map(str, found))


def _context(state: Path, name: str, options: Sequence[str]) -> Path:
    context = state / "packages" / name
    if (context / "Dockerfile").exists():
        return context
    report(f"fetching {name} with apt")
    root = state / "packages" / f"{name}-root"
    for package in _packages(options):
        unpack(package, root, options)
    shutil.rmtree(context, ignore_errors=True)
    (context / "bin").mkdir(parents=True)
    shutil.copy2(root / "usr/sbin/haproxy", context / "bin/haproxy")
    shutil.copy2(busybox(state) / "busybox", context / "bin/busybox")
    for library, source in _libraries(root):
        target = context / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    shutil.rmtree(root)
    (context / "Dockerfile").write_text(DOCKERFILE)
    return context


def _packages(options: Sequence[str]) -> list[str]:
    """Return haproxy and all libraries that it needs, directly or not."""
    words = ["--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances"]
    lines = run(["apt-cache", *options, "depends", *words, "haproxy"]).splitlines()
    found = [line for line in lines if line and not line[0].isspace() and line[0] != "<" and ":" not in line]
    return [name for name in found if name in ("haproxy", "zlib1g") or (name.startswith("lib") and not name.endswith("-perl"))]


def _libraries(root: Path) -> list[tuple[str, Path]]:
    """Return the path of each library in the image, and its file, as the package's own loader finds it."""
    loader = next(iter(sorted(root.glob("**/ld-linux-*.so.*"))), None)
    if loader is None:
        raise LabError("the package libc6 holds no loader.")
    folders = sorted({str(path.parent) for path in root.glob("**/*.so*") if path.is_file()})
    command = [str(loader), "--library-path", ":".join(folders), "--list", str(root / "usr/sbin/haproxy")]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [
        (f"/usr/lib/{path.name}", path) for line in lines if " => " in line for path in [Path(line.split(" => ")[1].split()[0])]
    ]
    missing = [str(path) for _, path in found if not path.is_relative_to(root)]
    if missing:
        raise LabError(f"the packages do not hold {', '.join(missing)}.")
    inside = INTERPRETER.search((root / "usr/sbin/haproxy").read_bytes())
    if inside is None:
        raise LabError("the package haproxy holds a program without a loader.")
    return [*found, (inside[0].decode(), loader)]
