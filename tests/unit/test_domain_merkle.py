"""The tree of RFC 6962 against the vectors of the Certificate Transparency reference implementation, and its laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkcarbon.domain.merkle import (
    EMPTY,
    Edge,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# Inputs, roots and proofs of merkletree/merkle_tree_test.cc in google/certificate-transparency.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEFT = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
SECOND = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
RIGHT = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
FIFTH = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
SEVENTH = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
MIDDLE = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
LEAVES = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]

leaves_of = st.lists(st.binary(max_size=4), max_size=70).map(lambda texts: [leaf_hash(text) for text in texts])


def hexes(hashes: list[bytes]) -> list[str]:
    return [one.hex() for one in hashes]


def recursive(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962, word for word."""
    import hashlib

    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return hashlib.sha256(b"\x01" + recursive(leaves[:middle]) + recursive(leaves[middle:])).digest()


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root_of([]) == EMPTY == Edge().root()


@pytest.mark.parametrize("size", range(1, 9))
def test_reference_roots(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (0, 8, [LEFT, SECOND, RIGHT]),
        (5, 8, [FIFTH, SEVENTH, ROOTS[3]]),
        (2, 3, [ROOTS[1]]),
        (1, 5, [ROOTS[0], SECOND, FIFTH]),
    ],
)
def test_reference_inclusion_proofs(index: int, size: int, path: list[str]) -> None:
    assert hexes(inclusion_proof(LEAVES[:size], index)) == path
    assert verify_inclusion(LEAVES[index], index, size, [bytes.fromhex(one) for one in path], root_of(LEAVES[:size]))


@pytest.mark.parametrize(
    ("old", "size", "path"),
    [
        (1, 1, []),
        (1, 8, [LEFT, SECOND, RIGHT]),
        (6, 8, [MIDDLE, SEVENTH, ROOTS[3]]),
        (2, 5, [SECOND, FIFTH]),
    ],
)
def test_reference_consistency_proofs(old: int, size: int, path: list[str]) -> None:
    assert hexes(consistency_proof(LEAVES[:size], old)) == path
    hashes = [bytes.fromhex(one) for one in path]
    assert verify_consistency(old, root_of(LEAVES[:old]), size, root_of(LEAVES[:size]), hashes)


@given(leaves_of)
def test_appending_gives_the_root_of_the_definition(leaves: list[bytes]) -> None:
    edge = Edge()
    for size, leaf in enumerate(leaves, 1):
        edge.append(leaf)
        assert edge.size == size
    assert edge.root() == recursive(leaves)


@given(leaves_of, st.data())
def test_an_edge_kept_at_any_size_goes_on_to_the_same_root(leaves: list[bytes], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(leaves)))
    before = Edge()
    before.extend(leaves[:cut])
    after = Edge(before.size, list(before.peaks))
    after.extend(leaves[cut:])
    assert (before.size, before.root()) == (cut, recursive(leaves[:cut]))
    assert after.root() == recursive(leaves)


@given(leaves_of.filter(bool), st.data())
def test_every_leaf_is_proven_and_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path, root = inclusion_proof(leaves, index), root_of(leaves)
    assert verify_inclusion(leaves[index], index, len(leaves), path, root)
    assert not verify_inclusion(leaf_hash(b"another"), index, len(leaves), path, root)
    assert not verify_inclusion(leaves[index], index, len(leaves), [*path, root], root)
    assert not verify_inclusion(leaves[index], index, len(leaves), path[:-1], root) or len(leaves) == 1
    assert not verify_inclusion(leaves[index], len(leaves), len(leaves), path, root)
    at = data.draw(st.integers(0, max(len(path) - 1, 0)))
    if path:
        wrong = [*path[:at], leaf_hash(b"wrong"), *path[at + 1 :]]
        assert not verify_inclusion(leaves[index], index, len(leaves), wrong, root)


@given(leaves_of, st.data())
def test_every_prefix_is_proven_and_no_other_past(leaves: list[bytes], data: st.DataObject) -> None:
    old = data.draw(st.integers(0, len(leaves)))
    path, root, before = consistency_proof(leaves, old), root_of(leaves), root_of(leaves[:old])
    assert verify_consistency(old, before, len(leaves), root, path)
    assert not verify_consistency(old, leaf_hash(b"another past"), len(leaves), root, path)
    if 0 < old < len(leaves):
        assert not verify_consistency(old, before, len(leaves), leaf_hash(b"another present"), path)
        assert not verify_consistency(old, before, len(leaves), root, path[:-1])
        assert not verify_consistency(old, before, len(leaves), root, [*path, root])


def test_a_rewritten_past_has_no_proof() -> None:
    rewritten = [LEAVES[0], leaf_hash(b"rewritten"), *LEAVES[2:]]
    path = consistency_proof(rewritten, 6)
    assert not verify_consistency(6, root_of(LEAVES[:6]), 8, root_of(rewritten), path)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="complete subtrees"):
        Edge(3, [EMPTY])
    with pytest.raises(IndexError, match="no leaf 8"):
        inclusion_proof(LEAVES, 8)
    with pytest.raises(IndexError, match="cannot begin with 9"):
        consistency_proof(LEAVES, 9)
    assert not verify_consistency(9, EMPTY, 8, EMPTY, [])
    assert not verify_consistency(3, EMPTY, 8, EMPTY, [])
