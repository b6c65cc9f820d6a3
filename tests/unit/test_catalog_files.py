"""Profile files: what is refused, and with which words."""

import pytest

from parkcarbon.catalog.profiles import ProfileError, load_profile, parse_profile, profile_hash, profile_names
from parkcarbon.catalog.write_schema import FOLDER, schemas

HEAD = "vendor: V\nmodel: M\nsource: [list]\n"
GOOD = "{quantity: active_power, address: 10, function: 3, type: i32, minimum: -1, maximum: 1}"


def profile(*points: str, head: str = HEAD) -> str:
    return head + "points:\n" + "".join(f"  - {point}\n" for point in points)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (profile(GOOD.replace("type: i32", "type: i33")), "profiles/x.yaml: points[active_power].type: 'i33'"),
        (profile(GOOD.replace("minimum", "minimun")), "profiles/x.yaml: points[active_power].minimun: unknown"),
        (profile(GOOD.replace("function: 3", "function: 6")), "profiles/x.yaml: points[active_power].function: 6"),
        (
            profile(GOOD.replace("address: 10", "address: 40001.5")),
            "profiles/x.yaml: points[active_power].address: 40001.5",
        ),
        (profile(GOOD.replace("address: 10", "address: 65535")), "active_power].address: 65535 is not a wire address"),
        (profile(GOOD.replace("active_power", "actve_power")), "'actve_power' is not in the list of quantities"),
        (profile(GOOD, GOOD), "active_power appears twice"),
        (
            profile(GOOD, GOOD.replace("active_power", "reactive_power").replace("10", "11")),
            "reactive_power at 11 overlaps",
        ),
        (profile(GOOD.replace("minimum: -1", "minimum: 1")), "minimum: 1.0 is not below maximum 1.0"),
        (profile(GOOD.replace(", minimum: -1, maximum: 1", "")), "a valid range is required"),
        (profile(GOOD.replace("}", ", modulus: 10}")), "modulus: 10.0 on a quantity that is not cumulative"),
        (profile(GOOD.replace("active_power", "heat_energy").replace("}", ", modulus: 1.0e+10}")), "does not fit i32"),
        (profile(GOOD.replace("}", ", not_available: [0x1FFFFFFFF]}")), "not_available: 0x1ffffffff does not fit i32"),
        (profile(GOOD.replace("}", ", scale: 0}")), "scale: 0"),
        (profile(GOOD, head=HEAD + "max_registers_per_read: 1\n"), "2 registers do not fit one read"),
        (profile(GOOD, head="vendor: V\nmodel: M\nsource: []\n"), "source: missing"),
        (HEAD + "model: N\n", "key 'model' appears twice"),
        (HEAD, "points: a modbus profile without points"),
        (profile(GOOD, head=HEAD + "transport: file\n"), "points: a file profile has no registers"),
    ],
)
def test_a_wrong_profile_is_refused_with_file_and_key(text: str, message: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse_profile("x", text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("profiles/x.yaml: ")


def test_all_problems_are_listed() -> None:
    text = profile(
        GOOD.replace("}", ", scale: 0}"), GOOD.replace("active_power", "frequency").replace("10", "70000"[:4])
    )
    with pytest.raises(ProfileError) as caught:
        parse_profile("x", text.replace("minimum: -1, maximum: 1", "minimum: 2, maximum: 1"))
    assert len(str(caught.value).splitlines()) == 3


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(ProfileError, match=r"no device profile 'nope'; known: .*eastron-sdm630"):
        load_profile("nope")


def test_hash_is_of_the_meaning_not_of_the_text() -> None:
    assert len({profile_hash(name) for name in profile_names()}) == len(profile_names())
    assert all(len(profile_hash(name)) == 64 for name in profile_names())
    spaced = profile(GOOD.replace(", ", ",   "), head="# comment\n" + HEAD)
    assert parse_profile("x", spaced) == parse_profile("x", profile(GOOD))


def test_schemas_are_up_to_date() -> None:
    for name, text in schemas().items():
        assert (FOLDER / name).read_bytes() == text, "run python -m parkcarbon.catalog.write_schema"
    assert {path.name for path in FOLDER.glob("*.json")} == set(schemas())
