"""Yes and no, and one of several options: matched to the items of a bool or enum by their labels."""

from collections.abc import Mapping

from ...alink.model.datatypes import BoolType, DataType, EnumType, IntType, TextType, Value as CloudValue
from ..aspect import Aspect, Reason, Refused, quoted
from ..suggest.pairing import YesAndNo, no_and_yes, pair
from .text import misfit, text_to_cloud, text_to_ha


def items_for(aspect: Aspect, data_type: BoolType | EnumType) -> tuple[int, int] | None:
    """Return the items for no and yes, None if the labels don't tell them apart."""
    found = _no_and_yes(aspect, data_type)
    return (found.no, found.yes) if found else None


def labels_tell(aspect: Aspect, data_type: BoolType | EnumType) -> bool:
    """Return whether the labels name what the aspect means by no and yes, or there are none."""
    found = _no_and_yes(aspect, data_type)
    return found is not None and found.told


def _no_and_yes(aspect: Aspect, data_type: BoolType | EnumType) -> YesAndNo | None:
    labels = data_type.labels if isinstance(data_type, BoolType) else data_type.items
    return no_and_yes(aspect.words, tuple(labels.items()), aspect.says)


def no_item(value: object, data_type: EnumType) -> Refused:
    """Return the exception for a value that no item stands for."""
    return Refused(
        Reason.NOT_AN_OPTION,
        ("the property takes {wanted}, none of which is {value}", "属性只接受{wanted}，其中没有 {value}"),
        wanted=data_type.describe,
        value=quoted(value),
    )


def labelled_item(name: str, labels: Mapping[int, str]) -> int | None:
    """Return the item with this label, or else the only one whose label has the same meaning."""
    same = [key for key, label in labels.items() if label == name]
    return same[0] if len(same) == 1 else pair((name,), tuple(labels.items()), near=False).get(name)


def bool_to_cloud(aspect: Aspect, data_type: DataType, *, value: bool) -> CloudValue:
    """Return yes or no as a bool, an item, 0 or 1, or one of the two words of the aspect."""
    match data_type:
        case BoolType() if keys := items_for(aspect, data_type):
            return bool(keys[value])
        case EnumType() if keys := items_for(aspect, data_type):
            return keys[value]
        case IntType():
            return int(value)
        case _:
            return text_to_cloud(aspect.words[value], data_type)


def bool_to_ha(value: CloudValue, aspect: Aspect, data_type: DataType) -> bool:
    """Return yes or no; the reverse of `bool_to_cloud`."""
    match data_type:
        case BoolType() | EnumType() if (keys := items_for(aspect, data_type)) and value in keys:
            return value == keys[True]
        case IntType() if value in (0, 1):
            return value == 1
        case TextType() if isinstance(value, str) and value.casefold() in aspect.words:
            return value.casefold() == aspect.words[True]
        case _:
            raise misfit(value, data_type)


def option_to_cloud(value: str, data_type: DataType, options: tuple[str, ...]) -> CloudValue:
    """Return the item for an option of the entity, or the option as text."""
    if not isinstance(data_type, EnumType):
        return text_to_cloud(value, data_type)
    known = options if value in options else (*options, value)
    key = pair(known, tuple(data_type.items.items())).get(value)
    if key is None:
        raise no_item(value, data_type)
    return key


def option_to_ha(value: CloudValue, data_type: DataType, options: tuple[str, ...]) -> str:
    """Return the option of the entity for an item or text."""
    if not isinstance(data_type, EnumType):
        return text_to_ha(value, data_type)
    pairs = pair(options, tuple(data_type.items.items()))
    for option, key in pairs.items():
        if key == value:
            return option
    label = data_type.items.get(value, "") if isinstance(value, int) else ""
    raise Refused(
        Reason.NOT_AN_OPTION,
        f"the entity takes {', '.join(options) or 'no option'}, none of which is {value!r} {label}".rstrip(),
    )
