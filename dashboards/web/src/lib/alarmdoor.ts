/** Alarms at the door: where the address points to, what is asked of the API, and the list that is kept fresh. */

import { computed, effect, signal } from '@preact/signals';
import {
  type ActName,
  type Alarm,
  type AlarmPlace,
  type AlarmWhole,
  alarmHash,
  alarmPlaceOf,
  type Report,
  type Silence,
  sameList,
  tally,
} from './alarms';
import { ApiError, get, inPark, send } from './api';
import { clock, parkName } from './store';

export const alarmPlace = signal<AlarmPlace | null>(alarmPlaceOf(location.hash));
window.addEventListener('hashchange', () => {
  alarmPlace.value = alarmPlaceOf(location.hash);
});

export function openAlarms(place: AlarmPlace | null): void {
  location.hash = place ? alarmHash(place) : '';
}

interface Page {
  alarms: Alarm[];
  next: string | null;
}

const pageOf = (park: string, state: 'standing' | 'all', cursor: string | null) =>
  get<Page>(inPark(park, `alarms?${new URLSearchParams(cursor === null ? { state } : { state, cursor })}`));

/** Pages of standing alarms that are read at most: a flood must not drown the page as well. */
const PAGES = 5;

async function allStanding(park: string): Promise<Alarm[]> {
  const found: Alarm[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES; page += 1) {
    const { alarms, next }: Page = await pageOf(park, 'standing', cursor);
    found.push(...alarms);
    if (next === null) break;
    cursor = next;
  }
  return found;
}

/** Addresses of acts, where they differ from the act's name. */
const ROUTES: Partial<Record<ActName, string>> = {
  out_of_service: 'out-of-service',
  in_service: 'in-service',
};

export const alarms = {
  page: pageOf,
  one: (park: string, id: number) => get<AlarmWhole>(inPark(park, `alarms/${id}`)),
  act: (park: string, id: number, act: ActName, comment: string, until: string | null) =>
    send<AlarmWhole>(
      inPark(park, `alarms/${id}/${ROUTES[act] ?? act}`),
      until ? { comment, until } : { comment },
    ),
  report: (park: string, from: number, to: number) => {
    const span = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    return get<Report>(inPark(park, `alarms/report?${new URLSearchParams(span)}`));
  },
  silences: async (park: string) =>
    (await get<{ silences: Silence[] }>(inPark(park, 'alarms/silences?over=true'))).silences,
  silence: (park: string, match: Record<string, string>, end: string, comment: string) =>
    send<Silence>(inPark(park, 'alarms/silences'), { match, end, comment }),
  endSilence: (park: string, id: number) => send<Silence>(inPark(park, `alarms/silences/${id}/end`), {}),
};

/** Alarms that stand; null: not known, or this token may not see them. */
export const standing = signal<Alarm[] | null>(null);

/** Server time to the minute [ms UTC]: enough for what is shelved, and lists are not drawn anew each second. */
export const minute = computed(() => Math.floor(clock.value / 60_000) * 60_000);
export const standingTally = computed(() => (standing.value ? tally(standing.value, minute.value) : null));

const AGAIN_MS = 5_000;
const REFUSED_AGAIN_MS = 60_000;
let again: (() => void) | null = null;

/** Look at once, for instance after an act. */
export function lookAgain(): void {
  again?.();
}

/** Keep `standing` fresh for as long as a park is open. */
export function watchAlarms(): void {
  effect(() => {
    const park = parkName.value;
    standing.value = null;
    if (park === null) return;
    let gone = false;
    let turn = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      turn += 1;
      const mine = turn;
      clearTimeout(timer);
      let pause = AGAIN_MS;
      try {
        const found = await allStanding(park);
        // a list that looks the same is kept: who is drawn from it is not drawn again
        if (!gone && mine === turn && !sameList(standing.peek(), found)) standing.value = found;
      } catch (error) {
        // the bar says by itself when nothing can be read; what was known stays
        if (error instanceof ApiError && error.status >= 400 && error.status < 500) pause = REFUSED_AGAIN_MS;
      }
      if (!gone && mine === turn) timer = setTimeout(() => void ask(), pause);
    };
    again = () => void ask();
    void ask();
    return () => {
      gone = true;
      again = null;
      clearTimeout(timer);
    };
  });
}
