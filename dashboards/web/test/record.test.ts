import { describe, expect, it } from 'vitest';
import { bars, bridgeBars, type Figure, type Step } from '../src/lib/record';

const figure = (value: string | null): Figure => ({ value, unit: 't', places: 1, shown: value ?? '–' });
const step = (id: string, kind: Step['kind']): Step => ({ label: { zh: id, en: id }, figure: id, kind });

describe('bars', () => {
  it('stand on zero and share the height of the largest', () => {
    expect(bars(['5', '10', null])).toEqual({
      zero: 0,
      bars: [
        { low: 0, size: 50, known: true },
        { low: 0, size: 100, known: true },
        { low: 0, size: 0, known: false },
      ],
    });
  });

  it('hang below zero where they are negative', () => {
    const { zero, bars: placed } = bars(['-5', '15']);
    expect(zero).toBe(25);
    expect(placed[0]).toEqual({ low: 0, size: 25, known: true });
    expect(placed[1]).toEqual({ low: 25, size: 75, known: true });
  });

  it('draw nothing where nothing is known', () => {
    expect(bars([null, null]).bars.every((bar) => !bar.known && bar.size === 0)).toBe(true);
    expect(bars(['0']).bars[0]).toEqual({ low: 0, size: 0, known: true });
  });
});

describe('a bridge', () => {
  const figures = { a: figure('100'), b: figure('-40'), c: figure('60'), d: figure(null), e: figure('-80') };

  it('leads from one total to another', () => {
    const { bars: placed } = bridgeBars(
      [step('a', 'total'), step('b', 'change'), step('c', 'total')],
      figures,
    );
    expect(placed.map((bar) => [bar.low, bar.size])).toEqual([
      [0, 100],
      [60, 40],
      [0, 60],
    ]);
  });

  it('leaves a gap where a step is not known', () => {
    const { bars: placed } = bridgeBars([step('a', 'total'), step('d', 'change')], figures);
    expect(placed[1]?.known).toBe(false);
  });

  it('goes below zero where more is taken than there was', () => {
    const { zero, bars: placed } = bridgeBars([step('c', 'total'), step('e', 'change')], figures);
    expect(zero).toBe(25);
    expect(placed[1]).toEqual({ low: 0, size: 100, known: true });
  });
});
