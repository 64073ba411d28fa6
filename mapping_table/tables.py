"""The generated sections of the documentation, as Markdown."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from homeassistant.components.sensor.const import UNIT_CONVERTERS

from custom_components.aliyun_iot.alink.model.datatypes import DataType, StructType
from custom_components.aliyun_iot.mapping.aspect import Domain, Kind, Range
from custom_components.aliyun_iot.mapping.convert import CARRIERS
from custom_components.aliyun_iot.mapping.domains import DOMAINS
from custom_components.aliyun_iot.mapping.suggest.synonyms import SYNONYMS
from custom_components.aliyun_iot.mapping.unit_names import ALIASES, AMBIGUOUS, WORDS
from custom_components.aliyun_iot.mapping.units import CONVERTERS, converter, quantities

from .facts import AspectFacts, facts_of, risky_device_classes
from .words import Words


def sections(words: Words) -> Mapping[str, str]:
    """Return every generated section by its name; raises NoExample.

    Must be called in the event loop of a Home Assistant instance, which has the units of some aspects.
    """
    return {
        "domains": _domains(words),
        "kinds": _kinds(words),
        "synonyms": _synonyms(words),
        "units": _units(words),
        "unit_names": _unit_names(words),
    }


def _domains(words: Words) -> str:
    return "\n\n".join(_domain(DOMAINS[name], words) for name in sorted(DOMAINS))


def _domain(domain: Domain, words: Words) -> str:
    parts = [f"### `{domain.name}`"]
    if domain.plan and (risk := _risk(domain, words)):
        parts.append(risk)
    parts.append(_table(words.domain_heads, (_aspect_row(facts, words) for facts in facts_of(domain))))
    for aspect in domain.aspects:
        if aspect.class_identifiers:
            rows = ((_code(key), _codes(names, words)) for key, names in aspect.class_identifiers.items())
            parts.append(_table(words.device_class_heads, rows))
    return "\n\n".join(parts)


def _risk(domain: Domain, words: Words) -> str:
    classes = risky_device_classes(domain)
    if classes is None:
        return words.always_risky
    return words.risky_for.format(classes=_codes(classes, words)) if classes else ""


def _aspect_row(facts: AspectFacts, words: Words) -> Sequence[str]:
    aspect = facts.aspect
    identifiers = [_code(name) for name in aspect.identifiers]
    if aspect.class_identifiers:
        identifiers.append(words.by_device_class)
    meaning = aspect.name_zh if words.language == "zh" else aspect.name_en
    remarks = (
        (aspect.private, words.private),
        (aspect.momentary, words.command_only),
        (aspect.alternative, words.alternative),
        (aspect.risky, words.risky_aspect),
    )
    if remark := words.comma.join(remark for applies, remark in remarks if applies):
        meaning = words.bracket.format(outside=meaning, inside=remark)
    return (
        _code(aspect.key),
        meaning,
        _values(facts, words),
        _type(facts.data_type),
        words.comma.join(identifiers),
        _codes(facts.actions, words) or words.report_only,
    )


def _values(facts: AspectFacts, words: Words) -> str:
    """Return the possible values, such as `number 0 to 100 %, step 1` or `off, on`."""
    aspect = facts.aspect
    match aspect.kind:
        case Kind.BOOL:
            return _codes(aspect.words, words)
        case Kind.ENUM if facts.options:
            return _codes(facts.options, words)
        case Kind.NUMBER:
            return _number(facts.range, facts.unit, words)
        case kind:
            return words.kinds[kind]


def _number(limits: Range | None, unit: str | None, words: Words) -> str:
    text = words.kinds[Kind.NUMBER]
    if limits and limits.min is not None and limits.max is not None:
        text += " " + words.to.format(low=_plain(limits.min), high=_plain(limits.max))
    if unit:
        text += f" {unit}"
    if limits and limits.step:
        text += words.comma + words.step.format(step=_plain(limits.step))
    return text


def _type(data_type: DataType) -> str:
    members = ", ".join(data_type.members) if isinstance(data_type, StructType) else ""
    return _code(f"{data_type.type}({members})" if members else data_type.type)


def _kinds(words: Words) -> str:
    rows = (
        (
            words.kinds[kind],
            _codes((data_type.type for data_type in carriers if data_type is not DataType), words) or _code("*"),
        )
        for kind, carriers in CARRIERS.items()
    )
    return _table(words.kind_heads, rows)


def _synonyms(words: Words) -> str:
    return _table(words.synonym_heads, ((_code(first), words.comma.join(others)) for first, *others in SYNONYMS))


def _units(words: Words) -> str:
    rows = [(words.quantities[key], _codes(_by_size(units), words)) for key, units in quantities().items()]
    gases = [
        (words.of_class.format(device_class=_code(device_class)), _codes(sorted(map(str, each.VALID_UNITS)), words))
        for device_class, each in UNIT_CONVERTERS.items()
        if device_class and each not in CONVERTERS
    ]
    return _table(words.unit_heads, [*sorted(rows), *sorted(gases)])


def _by_size(units: Sequence[str]) -> list[str]:
    """Return units of one quantity, the smallest first."""
    return sorted(units, key=lambda unit: abs((converter(unit, units[-1]) or abs)(1)))


def _unit_names(words: Words) -> str:
    """Return the spellings of units, each with what it means."""
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for unit, listed in ALIASES.items():
        spellings[unit] += listed.split()
    for spelling, symbol in WORDS.items():
        spellings[symbol].append(spelling)
    for spelling, meant in AMBIGUOUS.items():
        spellings[words.either.format(one=words.comma.join(meant[:-1]), other=meant[-1])].append(spelling)
    return _table(words.unit_name_heads, ((unit, words.comma.join(names)) for unit, names in spellings.items()))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '\\|') for cell in line)} |" for line in lines)


def _codes(texts: Iterable[str], words: Words) -> str:
    return words.comma.join(_code(text) for text in texts)


def _code(text: str) -> str:
    return f"`{text}`"


def _plain(value: float) -> str:
    return f"{value:g}" if abs(value) < 1e6 else str(int(value))
