"""Write the generated sections of the documentation, or check whether they are up to date.

A section is between `<!-- generated: NAME -->` and `<!-- end of NAME -->`.
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


def updated(page: str, words: Words) -> str:
    """Return a page with its generated sections from the present code; raises KeyError for an unknown section."""
    generated = sections(words)
    return _SECTION.sub(
        lambda match: f"{match['name']} -->\n\n{generated[match['name']]}\n\n<!-- end of {match['name']}", page
    )


def main() -> int:
    """Update both pages and return 0; with --check write nothing, list stale pages and return 1 if there are any."""
    parser = argparse.ArgumentParser(
        prog="scripts/mapping-table", description="Generate the tables of docs/mapping.md."
    )
    parser.add_argument("--check", action="store_true", help="only check whether the pages are up to date")
    return asyncio.run(_run(check=parser.parse_args().check))


async def _run(*, check: bool) -> int:
    stale = 0
    with TemporaryDirectory() as folder:
        hass = HomeAssistant(folder)  # has the units of the installation, metric by default
        for name, words in PAGES.items():
            path = DOCS / name
            page = path.read_text(encoding="utf-8")
            if (new := updated(page, words)) == page:
                continue
            stale = 1
            sys.stdout.write(f"{name} {'is stale: run scripts/mapping-table' if check else 'updated'}\n")
            if not check:
                path.write_text(new, encoding="utf-8")
        await hass.async_stop()
    return stale if check else 0


if __name__ == "__main__":
    sys.exit(main())
