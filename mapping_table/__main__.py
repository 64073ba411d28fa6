"""Write the generated parts into the documentation, or see whether they are what the code says.

A part stands between `<!-- generated: NAME -->` and `<!-- end of NAME -->`.
"""

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path
import re
import sys
from tempfile import TemporaryDirectory

from homeassistant.core import HomeAssistant

from .tables import sections
from .words import CHINESE, ENGLISH, Words

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES: Mapping[str, Words] = {"mapping.md": ENGLISH, "mapping.zh-CN.md": CHINESE}

_SECTION = re.compile(r"(?<=<!-- generated: )(?P<name>\w+) -->\n.*?<!-- end of (?P=name)(?= -->)", re.DOTALL)


def renewed(page: str, words: Words) -> str:
    """Return a page with its generated sections as the code has them now; raises KeyError for one nobody knows."""
    generated = sections(words)
    return _SECTION.sub(
        lambda match: f"{match['name']} -->\n\n{generated[match['name']]}\n\n<!-- end of {match['name']}", page
    )


def main() -> int:
    """Renew both pages and return 0; with --check change nothing, name those that are stale and return 1."""
    parser = argparse.ArgumentParser(
        prog="scripts/mapping-table", description="Generate the tables of docs/mapping.md."
    )
    parser.add_argument("--check", action="store_true", help="only tell whether the pages are up to date")
    return asyncio.run(_run(check=parser.parse_args().check))


async def _run(*, check: bool) -> int:
    stale = 0
    with TemporaryDirectory() as folder:
        hass = HomeAssistant(folder)  # what tells the units of the installation: metric by default
        for name, words in PAGES.items():
            path = DOCS / name
            page = path.read_text(encoding="utf-8")
            if (new := renewed(page, words)) == page:
                continue
            stale = 1
            sys.stdout.write(f"{name} {'is stale: run scripts/mapping-table' if check else 'renewed'}\n")
            if not check:
                path.write_text(new, encoding="utf-8")
        await hass.async_stop()
    return stale if check else 0


if __name__ == "__main__":
    sys.exit(main())
