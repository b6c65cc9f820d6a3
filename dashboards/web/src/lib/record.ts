/** The frozen record of a statement as it is shown: figures once, pages that refer to them (docs/statement.md). */

import type { Name } from './types';

export interface Figure {
  value: string | null;
  unit: string;
  places: number;
  shown: string;
  explain?: string;
  basis?: string;
  rule?: string;
}

export interface Cell {
  figure?: string;
  text?: Name;
}

export interface Column {
  head: Name;
  unit?: string;
  align?: 'left' | 'right';
}

export interface Line {
  cells: Cell[];
  style?: 'normal' | 'subtotal' | 'total' | 'memo';
  indent?: number;
}

export interface Step {
  label: Name;
  figure: string;
  kind: 'total' | 'change';
}

export interface Series {
  name: Name;
  values: (string | null)[];
  style?: 'bar' | 'hatched' | 'line' | 'ghost';
}

export type Block =
  | { block: 'paragraph'; text: Name; style?: 'normal' | 'note' | 'warning' | 'strong' }
  | { block: 'pairs'; rows: [Name, Cell][] }
  | { block: 'table'; id: string; head: Name; columns: Column[]; lines: Line[]; note?: Name | null }
  | { block: 'bridge'; id: string; head: Name; steps: Step[] }
  | {
      block: 'chart';
      id: string;
      head: Name;
      unit: string;
      labels: string[];
      series: Series[];
      completeness_pct?: (string | null)[];
    }
  | { block: 'heat_map'; id: string; head: Name; unit: string; days: string[]; values: (string | null)[][] }
  | { block: 'box'; kind: 'not_counted' | 'other_method'; head: Name; blocks: Block[] };

export interface Section {
  id: string;
  head: Name;
  blocks: Block[];
}

export interface Missing {
  item: string;
  text: Name;
  owner: string;
  due: string;
}

export interface StatementRecord {
  kind: 'flash' | 'statement' | 'annual';
  number: string;
  version: number;
  period: string;
  status: 'provisional' | 'final';
  entity: Name;
  known_on: string;
  verdict: { word: string; label: Name; sentence: Name; scope_words: Name; reasons: Name[] };
  front: {
    title: Name;
    stamp: Name;
    judged: [string, string];
    other: [string, string];
    boundary: Name[];
    bridge: { id: string; head: Name; steps: Step[] };
    verification: Name;
  };
  figures: Record<string, Figure>;
  sections: Section[];
  missing: Missing[];
}

/** A bar of a chart in percent of the height: from `low`, so high; negatives go below the zero line. */
export interface Bar {
  low: number;
  size: number;
  known: boolean;
}

/** Where bars stand between the smallest and the largest value, zero always among them. */
export function bars(values: readonly (string | null)[]): { zero: number; bars: Bar[] } {
  const numbers = values.map((value) => (value === null ? null : Number(value)));
  const known = numbers.filter((value): value is number => value !== null && Number.isFinite(value));
  const top = Math.max(0, ...known);
  const bottom = Math.min(0, ...known);
  const span = top - bottom || 1;
  const zero = (Math.abs(bottom) / span) * 100;
  return {
    zero,
    bars: numbers.map((value) => {
      if (value === null || !Number.isFinite(value)) return { low: zero, size: 0, known: false };
      const size = (Math.abs(value) / span) * 100;
      return { low: value < 0 ? zero - size : zero, size, known: true };
    }),
  };
}

/** Bars of a bridge: totals stand on zero, changes hang between where the last ended and where they lead. */
export function bridgeBars(
  steps: readonly Step[],
  figures: Readonly<Record<string, Figure>>,
): { zero: number; bars: Bar[] } {
  let level = 0;
  const spans = steps.map((step) => {
    const text = figures[step.figure]?.value ?? null;
    if (text === null) return null;
    const value = Number(text);
    const span: [number, number] = step.kind === 'total' ? [0, value] : [level, level + value];
    level = span[1];
    return span;
  });
  const ends = spans.flatMap((span) => span ?? []);
  const top = Math.max(0, ...ends);
  const bottom = Math.min(0, ...ends);
  const height = top - bottom || 1;
  const zero = (Math.abs(bottom) / height) * 100;
  return {
    zero,
    bars: spans.map((span) =>
      span === null
        ? { low: zero, size: 0, known: false }
        : {
            low: ((Math.min(...span) - bottom) / height) * 100,
            size: (Math.abs(span[1] - span[0]) / height) * 100,
            known: true,
          },
    ),
  };
}
