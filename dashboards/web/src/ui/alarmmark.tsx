import { named, t } from '../i18n';
import { minute } from '../lib/alarmdoor';
import { type Alarm, lasted, type Priority, stateOf } from '../lib/alarms';
import { full, short, unitText } from '../lib/format';
import { clock, timezone } from '../lib/store';
import { localDate, localMinute } from '../lib/time';

/** Priority by shape as well as by colour: triangle, diamond, circle; only its outline once somebody has taken it on. */
export function PriorityMark({ priority, hollow = false }: { priority: Priority; hollow?: boolean }) {
  return (
    <svg
      class={`priority priority-${priority}${hollow ? ' hollow' : ''}`}
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
    >
      {priority === 'high' && <path d="M8 1.8 15 14.2H1Z" />}
      {priority === 'medium' && <path d="M8 1.4 14.6 8 8 14.6 1.4 8Z" />}
      {priority === 'low' && <circle cx="8" cy="8" r="5.4" />}
    </svg>
  );
}

export function StateTag({ alarm }: { alarm: Alarm }) {
  const state = stateOf(alarm, minute.value);
  return <span class={`tag alarm-${state}`}>{t(`alarm.state.${state}`)}</span>;
}

/** `3 min`, in the page's language. */
export function lastedText(ms: number): string {
  const { count, unit } = lasted(ms);
  return t(`alarm.lasted.${unit}`, { count });
}

/** Time of day in the park; with the date where it is not today's. */
export function timeText(iso: string): string {
  const ms = Date.parse(iso);
  const time = localMinute(timezone.value, ms);
  const date = localDate(timezone.value, ms);
  return date === localDate(timezone.value, minute.value) ? time : `${date.slice(5)} ${time}`;
}

/** How long it stands, or stood. */
export function Standing({ alarm }: { alarm: Alarm }) {
  const end = alarm.resolved_at === null ? clock.value : Date.parse(alarm.resolved_at);
  return (
    <time class="num" dateTime={alarm.fired_at} title={fullTime(alarm.fired_at)}>
      {lastedText(end - Date.parse(alarm.fired_at))}
    </time>
  );
}

export function fullTime(iso: string): string {
  const ms = Date.parse(iso);
  return `${localDate(timezone.value, ms)} ${localMinute(timezone.value, ms)}`;
}

export function Value({ value, unit }: { value: number | null; unit: string }) {
  const shown = unit === '1' ? '' : unitText(unit);
  return (
    <span class="num" title={full(value, shown)}>
      {short(value)}
      {shown && <span class="unit"> {shown}</span>}
    </span>
  );
}

export const alarmTitle = (alarm: Alarm): string => named(alarm.name) || alarm.rule;
