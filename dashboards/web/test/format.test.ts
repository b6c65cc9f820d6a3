import { describe, expect, it } from 'vitest';
import {
  change,
  changeText,
  currencySign,
  full,
  MISSING,
  percent,
  short,
  tonnes,
  unitText,
  whole,
} from '../src/lib/format';

describe('three significant digits', () => {
  it.each([
    [1234.5, '1,230'],
    [1235, '1,240'],
    [999.6, '1,000'],
    [12345678, '12,300,000'],
    [123.4, '123'],
    [12.34, '12.3'],
    [9.999, '10.0'],
    [1, '1.00'],
    [0.5827, '0.583'],
    [0.001234, '0.00123'],
    [0, '0'],
    [1e-9, '0'],
    [-36.04, '−36.0'],
  ])('%d reads %s', (value, text) => expect(short(value)).toBe(text));

  it('shows what is missing as missing, never as zero', () => {
    for (const show of [short, percent, whole]) {
      expect(show(null)).toBe(MISSING);
      expect(show(undefined)).toBe(MISSING);
      expect(show(Number.NaN)).toBe(MISSING);
    }
    expect(full(null, 'kW')).toBe(MISSING);
    expect(tonnes(null)).toBeNull();
  });
});

describe('shares', () => {
  it('never rounds an incomplete share up to 100', () => {
    expect(percent(99.97)).toBe('99.9');
    expect(percent(99.94)).toBe('99.9');
    expect(percent(100)).toBe('100');
    expect(percent(0.044)).toBe('0.0440');
  });
});

describe('the full value', () => {
  it('keeps every digit that was sent', () => {
    expect(full(14307.174993, 'kWh')).toBe('14,307.174993 kWh');
    expect(full(0.1 + 0.2)).toBe('0.3');
    expect(full(-0.25)).toBe('−0.25');
  });
});

describe('change against last week', () => {
  it('is relative for amounts and in points for shares', () => {
    expect(change(110, 100)).toEqual({ direction: 'up', amount: 10, points: false });
    expect(change(99, 98.5, true)).toEqual({ direction: 'up', amount: 0.5, points: true });
    expect(change(50, 100)?.direction).toBe('down');
    expect(change(100.01, 100)?.direction).toBe('same');
  });
  it('is unknown where either side is, or the reference is zero', () => {
    expect(change(null, 1)).toBeNull();
    expect(change(1, null)).toBeNull();
    expect(change(1, 0)).toBeNull();
    expect(change(1, 0, true)?.amount).toBe(1);
  });
  it('reads without a sign, the arrow carries it', () => {
    expect(changeText({ direction: 'down', amount: -3.24, points: false }, 'pp')).toBe('3.2%');
    expect(changeText({ direction: 'up', amount: 0.44, points: true }, 'pp')).toBe('0.4 pp');
    expect(changeText({ direction: 'up', amount: 412.6, points: false }, 'pp')).toBe('413%');
  });
});

describe('units', () => {
  it('are set as printed', () => {
    expect(unitText('kgCO2e/h')).toBe('kgCO₂e/h');
    expect(unitText('GJ/10^4Nm3')).toBe('GJ/10⁴Nm³');
    expect(currencySign('CNY')).toBe('¥');
    expect(currencySign('CHF')).toBe('CHF ');
  });
});
