"""An HTML report taken apart: what is shown without a script, and the data that scripts read."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

_SCRIPT = re.compile(r"<script[^>]*>.*?</script>", re.DOTALL)


def without_scripts(page: str) -> str:
    """The page without its data, the items of its cells if it has any, and its scripts."""
    shown, count = _SCRIPT.subn("", page)
    assert count == 2 + ('id="items"' in page)
    return shown


def data_of(page: str, kind: str = "data") -> dict[str, Any]:
    """``kind`` is "data" or "items"."""
    found = re.search(rf'<script type="text/plain" id="{kind}">([^<]*)</script>', page)
    assert found
    data: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(found[1])))
    return data
