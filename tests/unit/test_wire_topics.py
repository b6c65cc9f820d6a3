"""One grammar for topics: what is built parses back, everything else parses to nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.wire.errors import WireError
from parkcarbon.wire.topics import KINDS, SEQ_MAX, Address, Topic, filters, parse

slugs = st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,62}\Z")
boots = st.from_regex(r"\A[0-9a-f]{16}\Z")


def matches(topic_filter: str, topic: str) -> bool:
    left, right = topic_filter.split("/"), topic.split("/")
    return len(left) == len(right) and all(a in {"+", b} for a, b in zip(left, right, strict=True))


@given(slugs, slugs, st.none() | slugs, boots, st.integers(1, SEQ_MAX))
def test_what_is_built_parses_back(park: str, source: str, via: str | None, boot: str, seq: int) -> None:
    address = Address(park, source, via)
    assert parse(address.readings(boot, seq)) == Topic(address, "readings", boot, seq)
    for kind in KINDS:
        name = address.readings(boot, seq) if kind == "readings" else getattr(address, kind)
        parsed = parse(name)
        assert parsed is not None
        assert (parsed.address, parsed.kind) == (address, kind)
        assert sum(matches(topic_filter, name) for topic_filter in filters(kind)) == 1
        assert any(matches(topic_filter, name) for topic_filter in filters(kind, park, via or "")) or via is None


def test_direct_and_relayed_are_told_apart() -> None:
    direct = Address("p", "edge")
    relayed = direct.relayed_by("gw")
    assert relayed.prefix == "parkcarbon/v1/p/gw/from/edge"
    assert direct.prefix == "parkcarbon/v1/p/edge"
    assert relayed.direct() == direct
    assert filters("status", "p", "gw") == ("parkcarbon/v1/p/gw/from/+/status",)


def test_a_source_may_be_called_like_a_part_of_the_grammar() -> None:
    for name in ("from", "readings", "status"):
        address = Address(name, name)
        assert parse(address.status) == Topic(address, "status")
        assert parse(address.relayed_by(name).receipt) == Topic(Address(name, name, name), "receipt")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "parkcarbon",
        "parkcarbon/v2/p/s/status",
        "parkcarbon/v1/p/s/status/",
        "parkcarbon/v1/p/s/status\n",
        "parkcarbon/v1/p/s/other",
        "parkcarbon/v1/p/+/status",
        "parkcarbon/v1/p/#",
        "parkcarbon/v1/../s/status",
        "parkcarbon/v1/P/s/status",
        "parkcarbon/v1/p//status",
        "parkcarbon/v1/p/s\x00/status",
        "parkcarbon/v1/p/" + "s" * 64 + "/status",
        "parkcarbon/v1/p/g/from/s/from/t/status",
        "parkcarbon/v1/p/g/from/status",
        "$SYS/parkcarbon/v1/p/s/status",
        "parkcarbon/v1/p/s/readings/0123456789abcdef/0",
        "parkcarbon/v1/p/s/readings/0123456789abcdef/01",
        "parkcarbon/v1/p/s/readings/0123456789abcdef/-1",
        "parkcarbon/v1/p/s/readings/0123456789abcdef/9223372036854775808",
        "parkcarbon/v1/p/s/readings/0123456789ABCDEF/1",
        "parkcarbon/v1/p/s/readings/0123/1",
        "parkcarbon/v1/p/s/readings/0123456789abcdef/١",
        "x" * 65_535,
    ],
)
def test_anything_else_is_no_topic(name: str) -> None:
    assert parse(name) is None


@given(st.text(max_size=100))
def test_no_text_breaks_the_parser(name: str) -> None:
    parse(name)
    parse(f"parkcarbon/v1/{name}")


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a/b", "+", "ä", "a" * 64, "a\n"])
def test_names_outside_the_grammar_are_not_built(name: str) -> None:
    for park, source, via in ((name, "s", None), ("p", name, None), ("p", "s", name or "/")):
        with pytest.raises(WireError):
            Address(park, source, via)


@pytest.mark.parametrize(("boot", "seq"), [("x", 1), ("0" * 16, 0), ("0" * 16, 2**63), ("0" * 16 + "\n", 1)])
def test_batches_outside_the_grammar_are_not_built(boot: str, seq: int) -> None:
    with pytest.raises(WireError):
        Address("p", "s").readings(boot, seq)
