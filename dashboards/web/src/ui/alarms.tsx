import { useEffect, useState } from 'preact/hooks';
import { named, t } from '../i18n';
import { alarmPlace, alarms, lookAgain, minute, openAlarms, standing } from '../lib/alarmdoor';
import { type Alarm, type AlarmPlace, inOrder, isCalling, TABS, type Tab } from '../lib/alarms';
import { ApiError } from '../lib/api';
import { parkName } from '../lib/store';
import { alarmTitle, PriorityMark, Standing, StateTag, timeText } from './alarmmark';
import { AlarmOne } from './alarmone';
import { AlarmReport } from './alarmreport';
import { Silences } from './silences';
import '../styles/alarms.css';

/** What calls for a person: alarms that stand, all there were, which of them are a nuisance, and what is silenced. */
export function Alarms() {
  const park = parkName.value;
  const place = alarmPlace.value ?? { tab: 'standing', id: null };
  useEffect(lookAgain, []);
  if (park === null) return null;
  return (
    <div class="alarms" data-testid="alarms-page" data-chosen={place.id !== null}>
      <nav class="alarm-tabs" aria-label={t('alarm.title')}>
        {TABS.map((tab) => (
          <TabButton key={tab} tab={tab} chosen={place.tab === tab} />
        ))}
      </nav>
      {place.tab === 'standing' && <StandingView park={park} place={place} />}
      {place.tab === 'all' && <AllView key={park} park={park} place={place} />}
      {place.tab === 'report' && <AlarmReport key={park} park={park} />}
      {place.tab === 'silences' && <Silences key={park} park={park} />}
    </div>
  );
}

function TabButton({ tab, chosen }: { tab: Tab; chosen: boolean }) {
  const count = tab === 'standing' ? standing.value?.length : undefined;
  return (
    <button
      type="button"
      class="alarm-tab"
      aria-current={chosen ? 'page' : undefined}
      onClick={() => openAlarms({ tab, id: null })}
      data-testid={`alarm-tab-${tab}`}
    >
      {t(`alarm.tab.${tab}`)}
      {count !== undefined && <span class="alarm-count num">{count}</span>}
    </button>
  );
}

function StandingView({ park, place }: { park: string; place: AlarmPlace }) {
  const list = standing.value;
  if (list === null) return <p class="message">{t('page.loading')}</p>;
  const rows = inOrder(list, minute.value);
  return <ListAndOne park={park} place={place} rows={rows} empty={t('alarm.calm')} />;
}

interface Pages {
  rows: Alarm[];
  next: string | null;
  failed: string;
}

function AllView({ park, place }: { park: string; place: AlarmPlace }) {
  const [pages, setPages] = useState<Pages | null>(null);
  const [busy, setBusy] = useState(false);
  const more = async (cursor: string | null) => {
    setBusy(true);
    try {
      const page = await alarms.page(park, 'all', cursor);
      setPages((old) => ({
        rows: cursor === null ? page.alarms : [...(old?.rows ?? []), ...page.alarms],
        next: page.next,
        failed: '',
      }));
    } catch (error) {
      const failed = error instanceof ApiError ? error.message : String(error);
      setPages((old) => ({ rows: old?.rows ?? [], next: old?.next ?? null, failed }));
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => void more(null), []);
  if (pages === null) return <p class="message">{t('page.loading')}</p>;
  return (
    <ListAndOne
      park={park}
      place={place}
      rows={pages.rows}
      empty={pages.failed ? t('books.failed', { reason: pages.failed }) : t('alarm.never')}
      {...(pages.next !== null && { more: () => void more(pages.next), busy })}
      onAct={() => void more(null)}
    />
  );
}

interface ListProps {
  park: string;
  place: AlarmPlace;
  rows: Alarm[];
  empty: string;
  more?: () => void;
  busy?: boolean;
  onAct?: () => void;
}

function ListAndOne({ park, place, rows, empty, more, busy = false, onAct }: ListProps) {
  const id = place.id ?? rows[0]?.id ?? null;
  return (
    <div class="alarm-split">
      <section class="card alarm-list" aria-label={t(`alarm.tab.${place.tab}`)} data-testid="alarm-list">
        {rows.length === 0 && <p class="message">{empty}</p>}
        <ul class="alarm-rows">
          {rows.map((alarm) => (
            <Row key={alarm.id} alarm={alarm} tab={place.tab} chosen={alarm.id === id} />
          ))}
        </ul>
        {more && (
          <button type="button" class="button alarm-more" disabled={busy} onClick={more}>
            {t('alarm.more')}
          </button>
        )}
      </section>
      {id !== null && (
        <AlarmOne key={`${park} ${id}`} park={park} id={id} tab={place.tab} {...(onAct && { onAct })} />
      )}
    </div>
  );
}

function Row({ alarm, tab, chosen }: { alarm: Alarm; tab: Tab; chosen: boolean }) {
  const calling = isCalling(alarm, minute.value);
  return (
    <li>
      <button
        type="button"
        class={calling ? 'alarm-row calling' : 'alarm-row'}
        aria-pressed={chosen}
        onClick={() => openAlarms({ tab, id: alarm.id })}
        data-testid={`alarm-${alarm.id}`}
        data-priority={alarm.priority}
      >
        <PriorityMark priority={alarm.priority} hollow={!calling} />
        <span class="hidden">{t(`alarm.priority.${alarm.priority}`)} </span>
        <span class="alarm-what">
          <strong>{alarmTitle(alarm)}</strong>
          <span class="muted alarm-subject">{named(alarm.subject_name)}</span>
        </span>
        <span class="alarm-where">
          <StateTag alarm={alarm} />
          <span class="muted alarm-since">
            {timeText(alarm.fired_at)} · <Standing alarm={alarm} />
          </span>
        </span>
      </button>
    </li>
  );
}
