"""The thing model of a product: its properties, events and services (`docs/protocol.md` §8)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from ..errors import ThingModelError
from ..messages import JsonValue
from . import faults
from .datatypes import DataType, Field
from .tsl import Node, is_model, read_data_type, read_document, read_fields, read_identifier

SCHEMA: Final = "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json"

_DEFAULT_MODULE: Final = "default"
_FEATURE_LISTS: Final = ("properties", "events", "services")

_ACCESS_MODES: Final = {
    "r": (True, False),
    "rw": (True, True),
    "wr": (True, True),
    "w": (False, True),
    "read_only": (True, False),
    "read_write": (True, True),
    "write_only": (False, True),
}
"""The access modes of a property in both notations, each with whether it is readable and writable."""


class EventType(StrEnum):
    """The severity of an event."""

    INFO = "info"
    ALERT = "alert"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Property:
    """A property; the cloud can set it if it is `writable`."""

    identifier: str
    name: str
    writable: bool
    readable: bool
    required: bool
    data_type: DataType
    description: str = ""

    def to_tsl(self) -> dict[str, JsonValue]:
        """Return its object in the document of a thing model."""
        return {
            "identifier": split_identifier(self.identifier)[1],
            "name": self.name,
            "accessMode": f"{'r' if self.readable else ''}{'w' if self.writable else ''}",
            "required": self.required,
            "desc": self.description,
            "dataType": self.data_type.to_tsl(),
        }


@dataclass(frozen=True, slots=True)
class Event:
    """An event with its output parameters."""

    identifier: str
    name: str
    type: EventType
    output: Mapping[str, Field]

    def to_tsl(self) -> dict[str, JsonValue]:
        """Return its object in the document of a thing model."""
        return {
            "identifier": split_identifier(self.identifier)[1],
            "name": self.name,
            "type": self.type.value,
            "required": False,
            "method": f"thing.event.{self.identifier}.post",
            "outputData": [parameter.to_tsl() for parameter in self.output.values()],
        }


@dataclass(frozen=True, slots=True)
class Service:
    """A service with its input and output parameters; the caller of a `sync` one waits for the answer."""

    identifier: str
    name: str
    sync: bool
    input: Mapping[str, Field]
    output: Mapping[str, Field]

    def to_tsl(self) -> dict[str, JsonValue]:
        """Return its object in the document of a thing model."""
        return {
            "identifier": split_identifier(self.identifier)[1],
            "name": self.name,
            "callType": "sync" if self.sync else "async",
            "required": False,
            "method": f"thing.service.{self.identifier}",
            "inputData": [parameter.to_tsl() for parameter in self.input.values()],
            "outputData": [parameter.to_tsl() for parameter in self.output.values()],
        }


@dataclass(frozen=True, slots=True)
class ThingModel:
    """A thing model; the keys are full identifiers, `module:identifier` in a custom module.

    The event `post` and the services `set` and `get`, which the platform generates for every product, are left out.
    `missing_modules` are custom modules that the document lists in `functionBlocks` without their features, as an export of
    the default module does.
    """

    product_key: str | None = None
    properties: Mapping[str, Property] = field(default_factory=dict)
    events: Mapping[str, Event] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    missing_modules: tuple[str, ...] = ()

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read a thing model from a JSON text (`str` or `bytes`) or its content.

        It accepts a module, a list of modules, a module with others in `functionBlocks`, and any of these inside a reply of
        the cloud. Whatever is absent is empty; a property without `accessMode` is read-only, an event without `type` is
        `info`, and a service without `callType` is asynchronous.

        Raises `ThingModelError`, which names the place.
        """
        model, errors = cls.read(document)
        if errors:
            raise errors[0]
        return model

    @classmethod
    def read(cls, document: object) -> tuple[Self, list[ThingModelError]]:
        """Read a document as `parse` does, but leave out what cannot be read, and return the errors in their order."""
        product_key: str | None = None
        properties: dict[str, Property] = {}
        events: dict[str, Event] = {}
        services: dict[str, Service] = {}
        listed: dict[str, bool] = {}
        errors: list[ThingModelError] = []
        for block in _readable(_blocks(document), errors):
            with _recorded(errors):
                product_key = product_key or _product_key(block)
                module = _module(block)
                listed[module] = listed.get(module, False) or any(
                    block[key].value is not None for key in _FEATURE_LISTS
                )
                _read_features(properties, _read_property, block["properties"], module, errors)
                _read_features(events, _read_event, block["events"], module, errors, generated=("post",))
                _read_features(services, _read_service, block["services"], module, errors, generated=("set", "get"))
        complete = {split_identifier(identifier)[0] for identifier in (*properties, *events, *services)}
        missing = tuple(module for module, there in listed.items() if module and not there and module not in complete)
        return cls(product_key, properties, events, services, missing), errors

    def to_tsl(self) -> dict[str, JsonValue]:
        """Return the document of the thing model, which `parse` reads as an equal one.

        Custom modules are in `functionBlocks`.
        """
        identifiers = (*self.properties, *self.events, *self.services)
        modules = dict.fromkeys(module for module, _ in map(split_identifier, identifiers) if module)
        document: dict[str, JsonValue] = {
            "schema": SCHEMA,
            "profile": {} if self.product_key is None else {"productKey": self.product_key},
            **self._block(""),
        }
        blocks: list[JsonValue] = [{"functionBlockId": module, **self._block(module)} for module in modules]
        blocks += [{"functionBlockId": module} for module in self.missing_modules]
        return {**document, "functionBlocks": blocks} if blocks else document

    def _block(self, module: str) -> dict[str, JsonValue]:
        """Return the members of one module; the default module is called ""."""

        def members[Member: (Property, Event, Service)](features: Mapping[str, Member]) -> list[JsonValue]:
            return [one.to_tsl() for identifier, one in features.items() if split_identifier(identifier)[0] == module]

        return {
            "properties": members(self.properties),
            "events": members(self.events),
            "services": members(self.services),
        }


@contextmanager
def _recorded(errors: list[ThingModelError]) -> Iterator[None]:
    """Add an error to the list instead of raising it."""
    try:
        yield
    except ThingModelError as err:
        errors.append(err)


def _readable(nodes: Iterator[Node], errors: list[ThingModelError]) -> Iterator[Node]:
    """Yield nodes up to the first error, which is recorded."""
    with _recorded(errors):
        yield from nodes


def _blocks(content: object) -> Iterator[Node]:
    """Yield the modules of a document."""
    root = read_document(content)
    documents = list(root.elements()) if isinstance(root.value, list) else [root]
    if not documents:
        raise root.error(faults.NO_MODULES)
    for document in documents:
        content = document.unpacked()
        if not isinstance(content, Mapping):
            raise document.error(faults.NOT_AN_OBJECT, kind=document.kind)
        if not is_model(content):
            raise document.error(faults.NO_MODEL)
        yield document
        yield from document["functionBlocks"].elements()


def _product_key(block: Node) -> str | None:
    profile = block["profile"]
    in_profile = "" if profile.value in (None, [], "") else profile["productKey"].text()
    return in_profile or block["productKey"].text() or None


def _module(block: Node) -> str:
    """Return the id of a module, "" for the default one, whose identifiers have no prefix."""
    node = block.first("functionBlockId", "identifier")
    if node.value is None:
        return ""
    module = read_identifier(node)
    if ":" in module:
        raise node.error(faults.COLON)
    return "" if module.lower() == _DEFAULT_MODULE else module


def _read_features[Feature](
    features: dict[str, Feature],
    read: Callable[[Node, str], Feature],
    elements: Node,
    module: str,
    errors: list[ThingModelError],
    *,
    generated: tuple[str, ...] = (),
) -> None:
    """Read the features of a module that are not generated, and add them under their full identifiers."""
    for element in _readable(elements.elements(), errors):
        with _recorded(errors):
            node = element["identifier"]
            written, local = split_identifier(read_identifier(node))
            if local in generated:
                continue
            if written.lower() == _DEFAULT_MODULE:
                written = ""
            if written and module and written != module:
                raise node.error(faults.OTHER_MODULE, module=module)
            identifier = f"{written or module}:{local}" if written or module else local
            if identifier in features:
                raise node.error(faults.TWICE, identifier=identifier)
            features[identifier] = read(element, identifier)


def _read_property(element: Node, identifier: str) -> Property:
    mode = element.first("accessMode", "rwFlag")
    access = _ACCESS_MODES.get(_keyword(mode, "r"))
    if access is None:
        raise mode.error(faults.NO_ACCESS)
    readable, writable = access
    return Property(
        identifier=identifier,
        name=element["name"].name_of(identifier),
        writable=writable,
        readable=readable,
        required=element["required"].value in (True, "true"),
        data_type=read_data_type(element),
        description=element.first("desc", "description").text(),
    )


def _read_event(element: Node, identifier: str) -> Event:
    kind = element.first("type", "eventType")
    word = _keyword(kind, EventType.INFO).removesuffix("_event_type")
    if word not in EventType:
        raise kind.error(faults.NO_EVENT_TYPE)
    return Event(
        identifier=identifier,
        name=element.first("name", "eventName").name_of(identifier),
        type=EventType(word),
        output=read_fields(element.first("outputData", "outputParams")),
    )


def _read_service(element: Node, identifier: str) -> Service:
    call_type = element["callType"]
    word = _keyword(call_type, "async")
    if word not in {"async", "sync"}:
        raise call_type.error(faults.NO_CALL_TYPE)
    return Service(
        identifier=identifier,
        name=element.first("name", "serviceName").name_of(identifier),
        sync=word == "sync",
        input=read_fields(element.first("inputData", "inputParams")),
        output=read_fields(element.first("outputData", "outputParams")),
    )


def _keyword(node: Node, default: str) -> str:
    """Return a keyword in lower case, `default` for an absent or empty one."""
    return default if node.value is None or node.value == "" else node.text().strip().lower()


def split_identifier(identifier: str) -> tuple[str, str]:
    """Return the module of a full identifier ("" for the default one) and the rest."""
    module, _, local = identifier.rpartition(":")
    return module, local
