"""Which figures stand on the pages, in the order in which they are printed: what a reading of the text is held to."""

from collections.abc import Iterable, Iterator

from parkcarbon.statement.record import Block, Box, Bridge, Cell, Front, Pairs, Record, Table


def printed_figures(record: Record) -> Iterator[tuple[str, str]]:
    """Section id and figure id of every place that prints a figure; of page 1 the section is `front`.

    A figure that stands on several pages comes several times. Charts and heat maps print no figures.
    """
    yield from (("front", name) for name in _front(record.front))
    for section in record.sections:
        yield from ((section.id, name) for block in section.blocks for name in _block(block))


def _front(front: Front) -> Iterator[str]:
    yield from (*front.judged, *front.other)
    yield from _block(front.bridge)


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Bridge):
        yield from (step.figure for step in block.steps)
    elif isinstance(block, Pairs):
        yield from _cells(cell for _, cell in block.rows)
    elif isinstance(block, Table):
        yield from _cells(cell for line in block.lines for cell in line.cells)
    elif isinstance(block, Box):
        for inner in block.blocks:
            yield from _block(inner)


def _cells(cells: Iterable[Cell]) -> Iterator[str]:
    yield from (cell.figure for cell in cells if cell.figure is not None)
