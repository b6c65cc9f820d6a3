import { language, named, t } from '../i18n';
import { alarmPlace, openAlarms, standingTally } from '../lib/alarmdoor';
import { go, place } from '../lib/books';
import { otherLanguage, type Theme, theme, wall } from '../lib/prefs';
import { openStatement, statementPlace } from '../lib/statements';
import { channel, clock, dataAsOf, fresh, openPark, park, parks, signOut, timezone } from '../lib/store';
import { localClock, localDate } from '../lib/time';
import { Bell, Contrast, Leave, Logo, Moon, Screen, Sun, Warning } from './icons';

export function Bar() {
  return (
    <header class="bar">
      <div class="bar-park">
        <Logo />
        {parks.value.length > 1 && !wall.value ? (
          <ParkChoice />
        ) : (
          <h1>{named(park.value?.name) || 'ParkCarbon'}</h1>
        )}
      </div>
      <LiveMark />
      <Clock />
      <div class="bar-tools">
        {park.value && <AlarmsButton />}
        {park.value && !wall.value && <StatementsButton />}
        {park.value && !wall.value && <BooksButton />}
        <DisplayButtons />
        {park.value && !place.value && !statementPlace.value && !alarmPlace.value && <WallButton />}
        {!wall.value && (
          <button
            type="button"
            class="tool"
            title={t('bar.signOut')}
            aria-label={t('bar.signOut')}
            onClick={() => void signOut()}
          >
            <Leave />
          </button>
        )}
      </div>
    </header>
  );
}

function ParkChoice() {
  return (
    <>
      <h1 class="hidden">{named(park.value?.name)}</h1>
      <select
        class="bar-choice"
        aria-label={t('bar.park')}
        value={park.value?.park ?? ''}
        onChange={(event) => openPark(event.currentTarget.value)}
      >
        {parks.value.map((item) => (
          <option key={item.park} value={item.park}>
            {named(item.name)}
          </option>
        ))}
      </select>
    </>
  );
}

function Clock() {
  const zone = timezone.value;
  const ms = clock.value;
  if (!park.value) return null;
  return (
    <time
      class="bar-clock"
      dateTime={new Date(ms).toISOString()}
      title={`${t('bar.clock')} (${zone})`}
      data-testid="clock"
    >
      <span class="bar-date">{localDate(zone, ms)}</span> <span>{localClock(zone, ms)}</span>
    </time>
  );
}

function LiveMark() {
  if (!park.value) return null;
  const stamp = dataAsOf.value;
  const time = stamp === null ? '' : stampText(stamp);
  const state = fresh.value;
  return (
    <div
      class={`live live-${state}`}
      data-testid="live-mark"
      data-state={state}
      data-channel={channel.value}
      role="status"
    >
      {state === 'stale' ? <Warning /> : <span class="live-dot" aria-hidden="true" />}
      <strong>{t(state === 'live' ? 'bar.live' : state === 'stale' ? 'bar.stale' : 'bar.waiting')}</strong>
      {time && (
        <span class="live-time">{state === 'live' ? t('bar.asOf', { time }) : t('bar.since', { time })}</span>
      )}
      {channel.value === 'down' && state === 'stale' && <span class="live-down">{t('bar.offline')}</span>}
    </div>
  );
}

/** Time of day in the park; with the date where it is not today's. */
function stampText(ms: number): string {
  const zone = timezone.value;
  const time = localClock(zone, ms);
  const date = localDate(zone, ms);
  return date === localDate(zone, clock.value) ? time : `${date} ${time}`;
}

const NEXT: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' };

export function DisplayButtons() {
  const look = theme.value;
  const label = `${t('bar.theme')}: ${t(`theme.${look}`)}`;
  return (
    <>
      <button
        type="button"
        class="tool tool-text"
        lang={language.value === 'zh' ? 'en' : 'zh-CN'}
        title={t('bar.language')}
        onClick={otherLanguage}
        data-testid="language"
      >
        {language.value === 'zh' ? 'EN' : <OtherTongue />}
      </button>
      <button
        type="button"
        class="tool"
        title={label}
        aria-label={label}
        onClick={() => {
          theme.value = NEXT[look];
        }}
        data-testid="theme"
      >
        {look === 'light' ? <Sun /> : look === 'dark' ? <Moon /> : <Contrast />}
      </button>
    </>
  );
}

const OtherTongue = () => <span>{'\u4e2d\u6587'}</span>;

function BooksButton() {
  const open = place.value !== null;
  return (
    <button
      type="button"
      class="tool tool-text"
      aria-pressed={open}
      onClick={() => go(open ? null : { period: null, figure: null })}
      data-testid="books"
    >
      {t(open ? 'books.live' : 'books.title')}
    </button>
  );
}

/** How many alarms stand, in the colour of the worst that nobody has taken on. On a wall it only tells. */
function AlarmsButton() {
  const count = standingTally.value;
  if (wall.value && !count?.total) return null;
  const open = alarmPlace.value !== null && !wall.value;
  const label = count ? t('alarm.counts', { total: count.total, calling: count.calling }) : undefined;
  return (
    <button
      type="button"
      class={`tool tool-text tool-alarms alarms-${count?.worst ?? 'calm'}`}
      aria-pressed={open}
      title={label}
      disabled={wall.value}
      onClick={() => openAlarms(open ? null : { tab: 'standing', id: null })}
      data-testid="alarms"
      data-standing={count?.total ?? ''}
    >
      {open ? t('alarm.live') : <AlarmsInside total={count?.total ?? 0} label={label ?? ''} />}
    </button>
  );
}

function AlarmsInside({ total, label }: { total: number; label: string }) {
  return (
    <>
      <Bell />
      <span class="tool-word">{t('alarm.title')}</span>
      {total > 0 && (
        <span class="alarms-count num">
          <span aria-hidden="true">{total}</span>
          <span class="hidden">{label}</span>
        </span>
      )}
    </>
  );
}

function StatementsButton() {
  const open = statementPlace.value !== null;
  return (
    <button
      type="button"
      class="tool tool-text"
      aria-pressed={open}
      onClick={() => (open ? go(null) : openStatement(null))}
      data-testid="statements"
    >
      {t(open ? 'statement.live' : 'statement.title')}
    </button>
  );
}

function WallButton() {
  const label = t(wall.value ? 'bar.wallLeave' : 'bar.wall');
  return (
    <button
      type="button"
      class="tool tool-wall"
      title={label}
      aria-label={label}
      aria-pressed={wall.value}
      onClick={() => {
        wall.value = !wall.value;
      }}
      data-testid="wall"
    >
      <Screen />
    </button>
  );
}
