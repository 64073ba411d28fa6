"""What `--help` says besides the options, taken from the tables of the simulator."""

import inspect
import re

from ..core import faults
from ..core.transcript import Note
from ..openapi.actions import ACTIONS
from ..routes import ROUTES
from . import http

ROW = re.compile(r"\| (`.*?) \| (.*) \|")


def describe_everything() -> str:
    """Return a text about the first line of the output, the API, its actions, the faults, the topics and the notes."""
    chapters = {
        "output": "The first line on stdout is JSON with the ports; each following line is a message on the wire.",
        "requests to the API port": _table(inspect.getdoc(http) or ""),
        "actions of POST /": "\n".join(f"{name}: {_first_line(action)}" for name, action in sorted(ACTIONS.items())),
        "fields of POST /faults": _table(inspect.getdoc(faults) or ""),
        "topics of devices": "\n".join(f"{topic}: {_first_line(route.handle)}" for topic, route in ROUTES.items()),
        "notes of messages without effect": ", ".join(sorted(Note)),
    }
    texts = [f"{title}:\n" + re.sub("^", "  ", text, flags=re.MULTILINE) for title, text in chapters.items()]
    return "\n\n".join([*texts, "More: simulator/README.md and docs/simulator.md."])


def _table(documentation: str) -> str:
    """Return the rows of a table in a docstring."""
    rows = [match.groups() for match in map(ROW.fullmatch, documentation.splitlines()) if match]
    return "\n".join(f"{name}: {text}".replace("`", "") for name, text in rows)


def _first_line(function: object) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0].rstrip(".")
