import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { phrase } from '../src/i18n/phrases';

const source = readFileSync(new URL('../../../api/working.py', import.meta.url), 'utf8');
const found = (pattern: RegExp) => [...source.matchAll(pattern)].map((match) => match[1] ?? '');

describe('what the API says with a working', () => {
  const labels = found(/^ {4}"\w+": "([^"]+)",$/gm).filter((text) => !text.startsWith('_'));
  const fixed = found(/label="([^"]+)"/g);
  const formulas = found(/formula = "([^"]+)"/g);
  const notes = found(/_NOTE = "([^"]+)"/g);

  it('is found in its source', () => {
    expect(labels.length).toBeGreaterThanOrEqual(7);
    expect(fixed.length).toBeGreaterThanOrEqual(5);
    expect(formulas.length).toBeGreaterThanOrEqual(4);
    expect(notes.length).toBeGreaterThanOrEqual(3);
  });
  it.each([...labels, ...fixed, ...formulas, ...notes])('has Chinese for “%s”', (text) => {
    expect(phrase(text)).toMatch(/[\u4e00-\u9fff]/);
  });
  it('reads sentences of the books that carry names and numbers', () => {
    expect(phrase('CN-2023-JS describes 2023, not 2026')).toBe('CN-2023-JS 为 2023 年数据，不是 2026 年');
    expect(phrase('7829.92 kWh exported are not netted against purchases')).toBe(
      '上网 7829.92 kWh 不抵减外购电量',
    );
  });
  it('says which meters come from files', () => {
    const notes = [...source.matchAll(/f"\{item\.point\.point\} (comes from files[^"]+)"/g)].map(
      (match) => match[1],
    );
    expect(notes.length).toBe(2);
    for (const note of notes)
      expect(phrase(`canteen/heat_energy ${note}`)).toMatch(/^canteen\/heat_energy 由文件导入/);
  });
  it('translates the known parts of a composed label and leaves the unknown alone', () => {
    expect(phrase('measured hours, gate/active_power')).toBe('实测表时，gate/active_power');
    expect(phrase('purchased heat, 15 min avg')).toBe('外购热力，15 分钟均值');
    expect(phrase('something, else')).toBe('something, else');
  });
});
