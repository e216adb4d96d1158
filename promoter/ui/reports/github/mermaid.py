"""The promotion as a Mermaid diagram: environments in the order of their needs, coloured by status."""

from collections.abc import Mapping, Sequence

from promoter.promotion.results import EnvironmentResult, Status

MOST = 60
"""The largest number of environments in a diagram."""
_KINDS = {
    Status.DEPLOYED: "good",
    Status.UNCHANGED: "good",
    Status.PENDING: "waits",
    Status.NOT_REACHED: "later",
}
_COLOURS = {
    "good": "fill:#1a7f37,stroke:#1a7f37,color:#ffffff",
    "waits": "fill:#bf8700,stroke:#bf8700,color:#ffffff",
    "later": "fill:#eaeef2,stroke:#8c959f,color:#24292f",
    "bad": "fill:#cf222e,stroke:#cf222e,color:#ffffff",
}


def picture(environments: Sequence[EnvironmentResult], needs: Mapping[str, tuple[str, ...]]) -> str:
    """Return a fenced block; empty if there is nothing to show."""
    if not 1 < len(environments) <= MOST:
        return ""
    ids = {one.name: f"e{number}" for number, one in enumerate(environments)}
    lines = [f'  {ids[one.name]}["{_label(one)}"]' for one in environments]
    lines += [f"  {ids[need]} --> {ids[one.name]}" for one in environments for need in needs.get(one.name, ()) if need in ids]
    kinds = {one.name: _KINDS.get(one.status, "bad") for one in environments}
    for kind, colour in _COLOURS.items():
        if names := [ids[name] for name, of in kinds.items() if of == kind]:
            lines += [f"  classDef {kind} {colour}", f"  class {','.join(names)} {kind}"]
    return "\n".join(["```mermaid", "flowchart LR", *lines, "```"])


def _label(environment: EnvironmentResult) -> str:
    return f"{_text(environment.name)}<br>{_text(str(environment.status).replace('_', ' '))}"


def _text(words: str) -> str:
    """Replace every character that Mermaid could interpret by its number."""
    return "".join(c if c.isascii() and (c.isalnum() or c in " -.") else f"#{ord(c)};" for c in words)
