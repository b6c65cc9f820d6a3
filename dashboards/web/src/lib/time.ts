/** The park's own time: local clock, local days (23, 24 or 25 hours), all from the IANA zone the API names. */

export interface LocalParts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const zones = new Map<string, Intl.DateTimeFormat>();

function zoneFormat(timezone: string): Intl.DateTimeFormat {
  let found = zones.get(timezone);
  if (!found) {
    found = new Intl.DateTimeFormat('en-GB-u-ca-gregory-nu-latn', {
      timeZone: timezone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    });
    zones.set(timezone, found);
  }
  return found;
}

export function localParts(timezone: string, ms: number): LocalParts {
  const parts: Record<string, number> = {};
  for (const part of zoneFormat(timezone).formatToParts(ms)) parts[part.type] = Number(part.value);
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts;
  return { year, month, day, hour, minute, second };
}

const QUARTER_MS = 900_000;

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** `2026-11-21` in the park. */
export function localDate(timezone: string, ms: number): string {
  const { year, month, day } = localParts(timezone, ms);
  return `${String(year).padStart(4, '0')}-${pad(month)}-${pad(day)}`;
}

/** `14:32` in the park. */
export function localMinute(timezone: string, ms: number): string {
  const { hour, minute } = localParts(timezone, ms);
  return `${pad(hour)}:${pad(minute)}`;
}

/** `14:32:05` in the park. */
export function localClock(timezone: string, ms: number): string {
  return `${localMinute(timezone, ms)}:${pad(localParts(timezone, ms).second)}`;
}

/** First instant [ms UTC] of a local date, also where midnight does not exist. */
function firstInstant(timezone: string, date: string): number {
  const midnight = Date.parse(`${date}T00:00:00Z`);
  let low = midnight - 15 * 3_600_000; // some instant of an earlier local date
  let high = midnight + 15 * 3_600_000; // some instant of this local date or a later one
  while (high - low > QUARTER_MS) {
    const middle = low + Math.floor((high - low) / QUARTER_MS / 2) * QUARTER_MS;
    if (localDate(timezone, middle) >= date) high = middle;
    else low = middle;
  }
  return high;
}

/** `[start, end)` [ms UTC] of the local day that holds `ms`: 23, 24 or 25 hours long. */
export function localDay(timezone: string, ms: number): { start: number; end: number } {
  const date = localDate(timezone, ms);
  const start = firstInstant(timezone, date);
  const end = firstInstant(timezone, addDays(date, 1));
  return { start, end };
}

export function previousLocalDay(timezone: string, ms: number): { start: number; end: number } {
  return localDay(timezone, localDay(timezone, ms).start - 1);
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

export interface Tick {
  ms: number;
  label: string;
}

/** Ticks at local hours divisible by `every`, ending with 24 at the end of the day. */
export function hourTicks(timezone: string, day: { start: number; end: number }, every: number): Tick[] {
  const ticks: Tick[] = [];
  let last = -1;
  for (let ms = day.start; ms < day.end; ms += QUARTER_MS) {
    const { hour, minute } = localParts(timezone, ms);
    if (minute === 0 && hour % every === 0 && hour !== last) {
      ticks.push({ ms, label: pad(hour) });
      last = hour;
    }
  }
  ticks.push({ ms: day.end, label: '24' });
  return ticks;
}

/** Age in the largest fitting unit: 45 s, 3 min, 2 h, 5 d. */
export function age(ms: number): { count: number; unit: 's' | 'min' | 'h' | 'd' } {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return { count: seconds, unit: 's' };
  if (seconds < 3600) return { count: Math.floor(seconds / 60), unit: 'min' };
  if (seconds < 86_400) return { count: Math.floor(seconds / 3600), unit: 'h' };
  return { count: Math.floor(seconds / 86_400), unit: 'd' };
}
