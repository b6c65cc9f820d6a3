/** Numbers for people: three significant digits on the page, the full value in the tooltip. */

export const MISSING = '–';

const formatters = new Map<string, Intl.NumberFormat>();

function formatter(minDigits: number, maxDigits: number): Intl.NumberFormat {
  const key = `${minDigits}:${maxDigits}`;
  let found = formatters.get(key);
  if (!found) {
    // Both languages of the page group and point numbers alike, so one locale serves.
    found = new Intl.NumberFormat('en-US', {
      minimumFractionDigits: minDigits,
      maximumFractionDigits: maxDigits,
    });
    formatters.set(key, found);
  }
  return found;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Three significant digits, trailing zeros kept: 1234 → "1,230", 0.5 → "0.500", 0 → "0". */
export function short(value: number | null | undefined): string {
  if (!isNumber(value)) return MISSING;
  const rounded = Number(value.toPrecision(3));
  if (rounded === 0 || Math.abs(rounded) < 1e-6) return '0';
  const magnitude = Math.floor(Math.log10(Math.abs(rounded)));
  const digits = Math.min(8, Math.max(0, 2 - magnitude));
  return minus(formatter(digits, digits).format(rounded));
}

/** A share in percent with three significant digits; only an exact 100 reads "100". */
export function percent(value: number | null | undefined): string {
  if (!isNumber(value)) return MISSING;
  if (value < 100 && Number(value.toPrecision(3)) >= 100) return '99.9';
  return short(value);
}

/** A whole number, grouped. */
export function whole(value: number | null | undefined): string {
  return isNumber(value) ? minus(formatter(0, 0).format(Math.round(value))) : MISSING;
}

/** Every digit that the API sent. */
export function full(value: number | null | undefined, unit = ''): string {
  if (!isNumber(value)) return MISSING;
  const text = minus(formatter(0, 15).format(value));
  return unit ? `${text} ${unit}` : text;
}

function minus(text: string): string {
  return text.replace('-', '−');
}

export interface Change {
  direction: 'up' | 'down' | 'same';
  /** Relative change [%], or the difference in percentage points for shares. */
  amount: number;
  points: boolean;
}

/** Change against a reference value; null where either is unknown or the reference is zero. */
export function change(value: number | null, reference: number | null, points = false): Change | null {
  if (!isNumber(value) || !isNumber(reference)) return null;
  if (!points && reference === 0) return null;
  const amount = points ? value - reference : ((value - reference) / Math.abs(reference)) * 100;
  const shown = Math.abs(amount) < 0.05 ? 0 : amount;
  return { direction: shown > 0 ? 'up' : shown < 0 ? 'down' : 'same', amount: shown, points };
}

/** "3.2 %", "12 %" or "0.4 pp", without sign: the arrow carries it. */
export function changeText(delta: Change, pointsUnit: string): string {
  const size = Math.abs(delta.amount);
  const digits = size >= 100 ? 0 : 1;
  const text = formatter(digits, digits).format(size);
  return delta.points ? `${text} ${pointsUnit}` : `${text}%`;
}

/** Unit as printed: `m3` → `m³`, `CO2e` → `CO₂e`, `10^4Nm3` → `10⁴Nm³`. */
export function unitText(unit: string): string {
  return unit
    .replace(/CO2/g, 'CO₂')
    .replace(/CH4/g, 'CH₄')
    .replace(/N2O/g, 'N₂O')
    .replace(/m3\b/g, 'm³')
    .replace(/10\^4/g, '10⁴');
}

/** kg of CO2e as tonnes, the unit of the page for accumulated emissions. */
export function tonnes(kilograms: number | null): number | null {
  return kilograms === null ? null : kilograms / 1000;
}

const CURRENCY: Record<string, string> = { CNY: '¥', EUR: '€', GBP: '£', USD: '$' };

export function currencySign(code: string): string {
  return CURRENCY[code] ?? `${code} `;
}
