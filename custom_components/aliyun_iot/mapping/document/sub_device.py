"""Sub-devices in a mapping document: their names and what they stand for. There are no secrets in a document."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final, Self

import voluptuous as vol

from ...alink.auth import DeviceTriple, Identity
from ...alink.errors import TripleInvalid
from ..fields import Expected, FieldSpec, schema_of

SECRETS: Final = ("device_secret", "product_secret")
"""What is refused in a document."""

DEVICE_PART: Final = "device_id"
ENTITY_PART: Final = "entity_id"

_NO_SECRET: Final = "-"  # noqa: S105 - what stands for a secret that is not there


@dataclass(frozen=True, slots=True)
class StandsFor:
    """The device or the entity that a sub-device stands for, with `part` as in the target of a rule.

    The name of a device is only for matching, so it is not compared.
    """

    part: str
    id: str
    name: str = field(default="", compare=False)

    @classmethod
    def from_key(cls, key: str) -> Self | None:
        """Return what the key of an `ExposureKey` names, None if that is neither a device nor an entity."""
        kind, _, id_ = key.partition(":")
        return cls(f"{kind}_id", id_) if f"{kind}_id" in (DEVICE_PART, ENTITY_PART) and id_ else None

    @property
    def key(self) -> str:
        """The key of the `ExposureKey`."""
        return f"{self.part.removesuffix('_id')}:{self.id}"

    def as_dict(self) -> dict[str, Any]:
        """Return data that `read` takes."""
        return {self.part: self.id if self.part == ENTITY_PART else {self.id: self.name or self.id}}

    @classmethod
    def read(cls, data: object) -> Self:
        """Return what the data describe; raises `vol.Invalid`."""
        match list(data.items()) if isinstance(data, dict) else None:
            case [("device_id" | "entity_id" as part, str() as id_)] if id_:
                return cls(part, id_)
            case [("device_id" as part, dict() as device)]:
                match list(device.items()):
                    case [(str() as id_, str() as name)] if id_:
                        return cls(part, id_, name)
        raise vol.Invalid("neither a device nor an entity")


@dataclass(frozen=True, slots=True)
class DocumentedSubDevice:
    """A sub-device without its secret and its mapping.

    Where the title or what it stands for is missing, an import leaves that as it is.
    """

    product_key: Annotated[str, FieldSpec(str, Expected.PRODUCT_KEY)]
    device_name: Annotated[str, FieldSpec(str, Expected.DEVICE_NAME)]
    title: Annotated[str, FieldSpec(str, Expected.TEXT)] = ""
    stands_for: Annotated[StandsFor | None, FieldSpec(StandsFor.read, Expected.STANDS_FOR)] = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the sub-device that the data describe; raises `vol.Invalid` with the path of the fault."""
        read = cls(**_SCHEMA(dict(data)))
        try:
            triple = DeviceTriple.parse(read.product_key, read.device_name, _NO_SECRET)
        except TripleInvalid as err:
            raise vol.Invalid(str(err), [err.field]) from err
        return replace(read, product_key=triple.product_key, device_name=triple.device_name)

    def as_dict(self) -> dict[str, Any]:
        """Return data that `from_dict` takes, without defaults."""
        data: dict[str, Any] = {"product_key": self.product_key, "device_name": self.device_name}
        if self.title:
            data["title"] = self.title
        if self.stands_for:
            data["stands_for"] = self.stands_for.as_dict()
        return data

    @property
    def identity(self) -> Identity:
        """The names."""
        return Identity(self.product_key, self.device_name)

    @property
    def name(self) -> str:
        """What it is known by in the document, and to people without a title."""
        return f"{self.product_key}.{self.device_name}"


_SCHEMA: Final = schema_of(DocumentedSubDevice)
