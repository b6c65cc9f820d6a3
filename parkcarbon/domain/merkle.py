"""Merkle tree over an append-only list of leaves: RFC 6962, section 2.1, with SHA-256.

A leaf is hashed as `00 | data`, a node as `01 | left | right`; the left subtree holds the largest power of two of
leaves that is smaller than their number. The root over the first n leaves says everything about them and their order.

References:
    RFC 6962, section 2.1; RFC 9162, sections 2.1.3.2 and 2.1.4.2 for checking proofs.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

EMPTY: Final = hashlib.sha256(b"").digest()
"""Root of no leaves."""

_sha256 = hashlib.sha256


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf."""
    return _sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of a node with these two children."""
    return _sha256(b"\1" + left + right).digest()


@dataclass(slots=True)
class Edge:
    """What is needed of a tree to append to it: the roots of its complete subtrees, from the largest to the smallest.

    Attributes:
        size: number of leaves.
        peaks: one hash for each bit that is set in `size`.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse peaks that do not belong to the size."""
        if self.size < 0 or self.size.bit_count() != len(self.peaks):
            raise ValueError(f"a tree of {self.size} leaves does not have {len(self.peaks)} complete subtrees")

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        size, peaks = self.size, self.peaks
        while size & 1:
            leaf = _sha256(b"\1" + peaks.pop() + leaf).digest()
            size >>= 1
        peaks.append(leaf)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add the hashes of leaves, in order."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """Root over all leaves so far."""
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> "Edge":
        """The same tree, to go on with apart."""
        return Edge(self.size, list(self.peaks))


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Root over the hashes of leaves."""
    edge = Edge()
    edge.extend(leaves)
    return edge.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from one leaf to the root over all, from the bottom up.

    Args:
        leaves: hashes of all leaves.
        index: which one, from 0.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index} among {len(leaves)}")
    low, high = 0, len(leaves)
    path: list[bytes] = []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(root_of(leaves[middle:high]))
            high = middle
        else:
            path.append(root_of(leaves[low:middle]))
            low = middle
    return path[::-1]


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """The hashes that show that the tree over all leaves begins with the one over the first `old_size`.

    Args:
        leaves: hashes of all leaves.
        old_size: number of leaves of the older tree.

    Raises:
        IndexError: the older tree would be larger.
    """
    if not 0 <= old_size <= len(leaves):
        raise IndexError(f"a tree of {len(leaves)} leaves cannot begin with {old_size}")
    if old_size in (0, len(leaves)):
        return []
    low, high, rest = 0, len(leaves), old_size
    whole = True  # the older tree is so far a subtree of which the verifier knows the root
    path: list[bytes] = []
    while rest != high - low:
        middle = _split(high - low)
        if rest <= middle:
            path.append(root_of(leaves[low + middle : high]))
            high = low + middle
        else:
            path.append(root_of(leaves[low : low + middle]))
            low, rest, whole = low + middle, rest - middle, False
    if not whole:
        path.append(root_of(leaves[low:high]))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """True when a leaf is at this place of the tree with this root.

    Args:
        leaf: its hash.
        index: its place, from 0.
        size: number of leaves of the tree.
        path: of `inclusion_proof`.
        root: of the tree.
    """
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for hashed in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(hashed, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, hashed)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """True when the tree with `root` begins with the one with `old_root`.

    Args:
        old_size: number of leaves of the older tree.
        old_root: its root.
        size: number of leaves of the newer tree.
        root: its root.
        path: of `consistency_proof`.
    """
    if not 0 <= old_size <= size:
        return False
    if old_size in (0, size):
        expected = EMPTY if old_size == 0 else root
        return not path and old_root == expected
    hashes = list(path)
    if not old_size & (old_size - 1):
        hashes.insert(0, old_root)
    if not hashes:
        return False
    return _climb(old_size, size, hashes) == (old_root, root)


def _climb(old_size: int, size: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The two roots that a consistency proof leads to; None where it is too short or too long."""
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = hashes[0]
    for hashed in hashes[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node_hash(hashed, old), node_hash(hashed, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, hashed)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None


def _split(size: int) -> int:
    """The largest power of two smaller than a size above 1."""
    return 1 << (size - 1).bit_length() - 1
