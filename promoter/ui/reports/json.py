"""Values to JSON text, the one way every `--json` answer is written."""

import json


def as_json(document: object) -> str:
    """Two spaces deep, as people read it; keys in the order in which they are documented."""
    return json.dumps(document, indent=2, ensure_ascii=False)
