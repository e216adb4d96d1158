"""The apt sources of this machine with another suite in them, so that a package of the next Debian can be read.

Lists and cache are in a separate directory: the machine's own lists are not changed, and no root is needed.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from parts.errors import LabError
from parts.machine import apt_install, release, run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
NEXT = {"bookworm": "trixie", "trixie": "forky"}


def other_suite_options(work: Path, suite: str | None = None, roots: Path = Path("/etc/apt")) -> Sequence[str]:
    """Return options that make apt read another Debian suite: `suite`, or the one after this machine's. Fetch its lists."""
    codename = release().get("VERSION_CODENAME", "")
    if codename not in NEXT:
        raise LabError(f"no later suite is known for {release().get('PRETTY_NAME', 'this system')}.")
    entries = derive(roots, codename, suite or NEXT[codename])
    if not entries:
        raise LabError(f"none of this machine's apt sources names the suite {codename}.")
    return _options(work, entries)


def debian_options(work: Path, suite: str, roots: Path = Path("/etc/apt")) -> Sequence[str]:
    """Return options that make apt read any suite of Debian: from this machine's mirror, or else Debian's. Fetch its lists."""
    system = release()
    entries = derive(roots, system.get("VERSION_CODENAME", ""), suite) if system.get("ID") == "debian" else ""
    if not entries:
        if not KEYRING.exists():
            apt_install(["debian-archive-keyring"], why="check packages of Debian")
        entries = f"Types: deb\nURIs: http://deb.debian.org/debian\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n"
    return _options(work, entries)


def _options(work: Path, entries: str) -> Sequence[str]:
    (work / "lists/partial").mkdir(parents=True, exist_ok=True)
    (work / "cache/archives/partial").mkdir(parents=True, exist_ok=True)
    listing = work / "other.sources"
    listing.write_text(entries)
    settings = {
        "Dir::Etc::sourcelist": listing,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::Lists": work / "lists",
        "Dir::Cache": work / "cache",
    }
    options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
    run(["apt-get", *options, "-q", "update"])
    return options


def derive(roots: Path, codename: str, wanted: str) -> str:
    """Return the sources of exactly this suite as deb822 entries, with the wanted suite instead."""
    found: list[str] = []
    for path in sorted((roots / "sources.list.d").glob("*.sources")):
        found += [entry for text in re.split(r"\n\s*\n", path.read_text()) if (entry := _from_stanza(text, codename, wanted))]
    for path in (roots / "sources.list", *sorted((roots / "sources.list.d").glob("*.list"))):
        if path.exists():
            found += [entry for line in path.read_text().splitlines() if (entry := _from_line(line, codename, wanted))]
    return "\n\n".join(found) + "\n" if found else ""


def _from_stanza(text: str, codename: str, wanted: str) -> str | None:
    kept = "\n".join(line for line in text.strip().splitlines() if not line.startswith("#"))
    suites = re.search(r"(?im)^suites:\s*(.*)$", kept)
    types = re.search(r"(?im)^types:\s*(.*)$", kept)
    if not suites or not types or codename not in suites[1].split() or "deb" not in types[1].split():
        return None
    if re.search(r"(?im)^enabled:\s*no", kept):
        return None
    kept = kept.replace(types[0], "Types: deb")
    return kept.replace(suites[0], f"Suites: {wanted}")


def _from_line(line: str, codename: str, wanted: str) -> str | None:
    parts = re.match(r"deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*?)\s*(?:#.*)?$", line.strip())
    if not parts or parts[3] != codename:
        return None
    options = dict(option.split("=", 1) for option in (parts[1] or "").split() if "=" in option)
    signed = f"\nSigned-By: {options['signed-by']}" if "signed-by" in options else ""
    return f"Types: deb\nURIs: {parts[2]}\nSuites: {wanted}\nComponents: {parts[4]}{signed}"
