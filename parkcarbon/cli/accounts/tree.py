"""A figure with its working as indented lines for a terminal."""

from parkcarbon.domain.working import Figure


def tree_lines(figure: Figure, depth: int = 0) -> list[str]:
    """A figure as indented lines: value, unit, name, how it comes about or where it comes from."""
    value = "unknown" if figure.value is None else f"{figure.value:,.12g}"
    how = "" if figure.operation == "given" else f" = {figure.operation.replace('_', ' of ')}"
    rows = max((len(column) for column in figure.columns.values()), default=0)
    if rows:
        how += f" over {rows} rows: {' × '.join(figure.columns)}"
    rule = f"  (rule {figure.rule})" if figure.rule else ""
    unit = "" if figure.unit == "1" else f" {figure.unit}"
    lines = [f"{'  ' * depth}{value}{unit}  {figure.labels[1] or figure.name}{how}{rule}{_source(figure)}"]
    lines += [f"{'  ' * depth}  ! {note}" for note in figure.notes]
    for term in figure.terms:
        lines += tree_lines(term, depth + 1)
    return lines


def _source(figure: Figure) -> str:
    source = figure.source
    lots = source.get("lots")
    if isinstance(lots, list | tuple):
        return f"  [{', '.join(map(str, lots))}]"
    batches = source.get("batches")
    if isinstance(batches, list):
        return f"  [{len(batches)} batches]"
    named = source.get("factor") or source.get("evidence") or source.get("point")
    if figure.operation != "given" or named is None:
        return ""
    parts = [str(named), *(str(source[name]) for name in ("edition", "match", "time", "serial") if source.get(name))]
    batch = source.get("batch")
    if isinstance(batch, dict):
        parts.append(f"batch {batch.get('source')}/{batch.get('boot')}/{batch.get('seq')} sha256 {batch.get('digest')}")
    return f"  [{', '.join(parts)}]"
