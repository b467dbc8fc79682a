"""Write the content hashes of the almanac's item sets, so that another CLDR is noticed.

    python tools/almanac_content.py

Run it after a change of wording or facts, with the pinned versions of Babel and num2words; the
models should be pre-trained again then.
"""

from __future__ import annotations

import json
from pathlib import Path

from crossgraft.adapters.almanac.facts import LANGUAGES, TASKS
from crossgraft.adapters.tasks.almanac import content, versions

FILE = Path(__file__).parent.parent / "src/crossgraft/adapters/almanac/content.json"


def main() -> None:
    names = [
        f"{about}/{language}/{split}/{form}"
        for about in (*TASKS, "sham")
        for language in LANGUAGES
        for split in ("train", "test")
        for form in ("text", "letter")
    ]
    FILE.write_text(
        json.dumps({"versions": versions(), "content": {name: content(name) for name in names}}, indent=1) + "\n"
    )
    print(f"{len(names)} item sets, {versions()}")


if __name__ == "__main__":
    main()
