"""The JSON text of every `--json` answer."""

import json


def as_json(document: object) -> str:
    """Indent by two spaces; keep keys in the documented order."""
    return json.dumps(document, indent=2, ensure_ascii=False)
