"""An HTML report taken apart: what is shown without a script, and the data that scripts read."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

_SCRIPT = re.compile(r"<script[^>]*>.*?</script>", re.DOTALL)


def without_scripts(page: str) -> str:
    """The page without its data and its scripts, of which it has two elements."""
    shown, count = _SCRIPT.subn("", page)
    assert count == 2
    return shown


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="text/plain" id="data">([^<]*)</script>', page)
    assert found
    data: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(found[1])))
    return data
