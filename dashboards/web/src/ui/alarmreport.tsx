import type { ComponentChildren } from 'preact';
import { named, t } from '../i18n';
import { alarms, minute, openAlarms } from '../lib/alarmdoor';
import { isCalling, type Report } from '../lib/alarms';
import { percent, short, whole } from '../lib/format';
import { clock } from '../lib/store';
import { alarmTitle, fullTime, lastedText, PriorityMark, Standing, StateTag } from './alarmmark';
import { useAnswer, Waiting } from './answer';

const DAYS = 30;
const PRIORITIES = ['high', 'medium', 'low'] as const;

/** Which alarms are a nuisance: those that stand for days, those that chatter, those that come most often. */
export function AlarmReport({ park }: { park: string }) {
  const answer = useAnswer(park, () => {
    const now = clock.peek();
    return alarms.report(park, now - DAYS * 86_400_000, now);
  });
  if (answer.kind !== 'ready') return <Waiting answer={answer} />;
  const report = answer.value;
  return (
    <div class="alarm-report" data-testid="alarm-report">
      <Summary report={report} />
      <LongStanding report={report} />
      <Part title={t('alarm.chattering')} note={t('alarm.chatteringNote')} count={report.chattering.length}>
        {report.chattering.map((item) => (
          <li key={`${item.rule} ${item.subject}`} class="alarm-line">
            <span class="alarm-what">
              <strong>{item.rule}</strong> <span class="muted">{named(item.subject_name)}</span>
            </span>
            <span class="num">{t('alarm.times', { count: item.times })}</span>
            <span class="muted num">{fullTime(item.at)}</span>
          </li>
        ))}
      </Part>
      <Part title={t('alarm.top')} note={t('alarm.topNote')} count={report.top.length}>
        {report.top.map((item) => (
          <li key={`${item.rule} ${item.subject}`} class="alarm-line">
            <span class="alarm-what">
              <strong>{item.rule}</strong> <span class="muted">{named(item.subject_name)}</span>
            </span>
            <span class="num">{t('alarm.times', { count: item.alarms })}</span>
            <span class="muted num">{percent(item.share * 100)} %</span>
          </li>
        ))}
      </Part>
      <Part title={t('alarm.floods')} note={t('alarm.floodsNote')} count={report.floods.length}>
        {report.floods.map((flood) => (
          <li key={flood.begin} class="alarm-line">
            <span class="alarm-what num">
              {fullTime(flood.begin)} – {fullTime(flood.end)}
            </span>
            <span class="num">{t('alarm.times', { count: flood.alarms })}</span>
          </li>
        ))}
      </Part>
    </div>
  );
}

function Summary({ report }: { report: Report }) {
  const mean = report.acknowledge_mean_s;
  return (
    <section class="card alarm-summary" aria-label={t('alarm.days', { days: DAYS })}>
      <header class="card-head">
        <h2>{t('alarm.days', { days: DAYS })}</h2>
      </header>
      <dl>
        <Count label={t('alarm.raised')}>{whole(report.alarms)}</Count>
        {PRIORITIES.map((priority) => (
          <Count key={priority} label={t(`alarm.priority.${priority}`)} mark={priority}>
            {whole(report.by_priority[priority] ?? 0)}
          </Count>
        ))}
        <Count label={t('alarm.rate')}>{short(report.per_10_min)}</Count>
        <Count label={t('alarm.meanAcknowledge')}>
          {mean === null ? t('books.unknown') : lastedText(mean * 1000)}
        </Count>
        <Count label={t('alarm.neverAcknowledged')}>{whole(report.never_acknowledged)}</Count>
        <Count label={t('alarm.floodShare')}>{percent(report.flood_share * 100)} %</Count>
      </dl>
    </section>
  );
}

interface CountProps {
  label: string;
  mark?: (typeof PRIORITIES)[number];
  children: ComponentChildren;
}

function Count({ label, mark, children }: CountProps) {
  return (
    <div>
      <dt class="muted">
        {mark && <PriorityMark priority={mark} />} {label}
      </dt>
      <dd class="num">{children}</dd>
    </div>
  );
}

function LongStanding({ report }: { report: Report }) {
  return (
    <Part title={t('alarm.longStanding')} note={t('alarm.longStandingNote')} count={report.standing.length}>
      {report.standing.map((alarm) => (
        <li key={alarm.id}>
          <button
            type="button"
            class="alarm-row"
            onClick={() => openAlarms({ tab: 'standing', id: alarm.id })}
            data-testid={`alarm-standing-${alarm.id}`}
          >
            <PriorityMark priority={alarm.priority} hollow={!isCalling(alarm, minute.value)} />
            <span class="hidden">{t(`alarm.priority.${alarm.priority}`)} </span>
            <span class="alarm-what">
              <strong>{alarmTitle(alarm)}</strong> <span class="muted">{named(alarm.subject_name)}</span>
            </span>
            <StateTag alarm={alarm} />
            <span class="alarm-since muted">
              <Standing alarm={alarm} />
            </span>
          </button>
        </li>
      ))}
    </Part>
  );
}

interface PartProps {
  title: string;
  note: string;
  count: number;
  children: ComponentChildren;
}

function Part({ title, note, count, children }: PartProps) {
  return (
    <section class="card alarm-part" aria-label={title}>
      <header class="card-head">
        <h2>
          {title} <span class="alarm-count num">{count}</span>
        </h2>
        <span class="muted">{note}</span>
      </header>
      {count === 0 ? <p class="message">{t('alarm.none')}</p> : <ul class="alarm-rows">{children}</ul>}
    </section>
  );
}
