import { named, t } from '../i18n';
import { minute, openAlarms, standing, standingTally } from '../lib/alarmdoor';
import { isCalling, newestFirst } from '../lib/alarms';
import { alarmTitle, PriorityMark, Standing, StateTag } from './alarmmark';
import { Check } from './icons';

const SHOWN = 3;

/** The newest alarms that stand, on the live page. */
export function AlarmCard() {
  const list = standing.value;
  const count = standingTally.value;
  if (list === null || count === null) return null;
  return (
    <section class="card alarm-card" aria-labelledby="alarm-card-title" data-testid="alarm-card">
      <header class="card-head">
        <h2 id="alarm-card-title">{t('alarm.title')}</h2>
        {count.total > 0 && (
          <span class="muted">{t('alarm.counts', { total: count.total, calling: count.calling })}</span>
        )}
        <button
          type="button"
          class="button"
          onClick={() => openAlarms({ tab: 'standing', id: null })}
          data-testid="alarm-open"
        >
          {t('alarm.open')}
        </button>
      </header>
      {list.length === 0 ? (
        <p class="alarm-calm">
          <Check /> {t('alarm.calm')}
        </p>
      ) : (
        <ul class="alarm-rows">
          {newestFirst(list, SHOWN).map((alarm) => (
            <li key={alarm.id}>
              <button
                type="button"
                class="alarm-row"
                onClick={() => openAlarms({ tab: 'standing', id: alarm.id })}
              >
                <PriorityMark priority={alarm.priority} hollow={!isCalling(alarm, minute.value)} />
                <span class="hidden">{t(`alarm.priority.${alarm.priority}`)} </span>
                <span class="alarm-what">
                  <strong>{alarmTitle(alarm)}</strong> <span class="muted">{named(alarm.subject_name)}</span>
                </span>
                <span class="alarm-where">
                  <StateTag alarm={alarm} />
                  <span class="alarm-since muted">
                    <Standing alarm={alarm} />
                  </span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
