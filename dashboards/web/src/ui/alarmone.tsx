import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { named, t, word } from '../i18n';
import { alarms, lookAgain, minute, openAlarms } from '../lib/alarmdoor';
import { type AlarmWhole, history, type Moment, stateOf, type Tab } from '../lib/alarms';
import { AlarmActs } from './alarmacts';
import { AlarmCurveView } from './alarmcurve';
import { alarmTitle, fullTime, PriorityMark, Standing, StateTag, timeText, Value } from './alarmmark';
import { type Answer, failure } from './answer';

const AGAIN_MS = 10_000;

/** One alarm: why it was raised, what to do, what people did, who was told. */
export function AlarmOne({
  park,
  id,
  tab,
  onAct,
}: {
  park: string;
  id: number;
  tab: Tab;
  onAct?: () => void;
}) {
  const [answer, setAnswer] = useState<Answer<AlarmWhole>>({ kind: 'loading' });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let gone = false;
    const ask = () =>
      alarms
        .one(park, id)
        .then((value) => !gone && setAnswer({ kind: 'ready', value }))
        .catch((error: unknown) => {
          // what is shown stays while the connection is down; the bar tells
          if (!gone) setAnswer((old) => (old.kind === 'ready' ? old : failure(error)));
        });
    void ask();
    const timer = setInterval(() => void ask(), AGAIN_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [turn]);
  const acted = () => {
    setTurn(turn + 1);
    lookAgain();
    onAct?.();
  };
  return (
    <div class="alarm-one" data-testid="alarm-one">
      <button type="button" class="button alarm-back" onClick={() => openAlarms({ tab, id: null })}>
        ← {t('alarm.back')}
      </button>
      {answer.kind === 'loading' && <p class="message">{t('page.loading')}</p>}
      {answer.kind === 'failed' && (
        <p class="message" role="alert">
          {t('books.failed', { reason: answer.reason })}
        </p>
      )}
      {answer.kind === 'ready' && <Whole park={park} alarm={answer.value} acted={acted} />}
    </div>
  );
}

function Whole({ park, alarm, acted }: { park: string; alarm: AlarmWhole; acted: () => void }) {
  const state = stateOf(alarm, minute.value);
  const hollow = state !== 'firing' && state !== 'recovering';
  return (
    <>
      <section class="card alarm-head" aria-labelledby="alarm-name">
        <header class="card-head">
          <h2 id="alarm-name">
            <PriorityMark priority={alarm.priority} hollow={hollow} /> {alarmTitle(alarm)}
          </h2>
          <span class="tags">
            <span class="tag">{t(`alarm.priority.${alarm.priority}`)}</span>
            <StateTag alarm={alarm} />
          </span>
        </header>
        <p class="alarm-reason">{named(alarm.reason)}</p>
        {alarm.action && (
          <p class="alarm-todo">
            <strong>{t('alarm.todo')}</strong> {named(alarm.action)}
          </p>
        )}
        <Facts alarm={alarm} />
        {(alarm.cause || alarm.consequence) && (
          <dl class="facts alarm-facts">
            {alarm.cause && <Fact label={t('alarm.cause')}>{named(alarm.cause)}</Fact>}
            {alarm.consequence && <Fact label={t('alarm.consequence')}>{named(alarm.consequence)}</Fact>}
          </dl>
        )}
      </section>
      {alarm.curve && alarm.curve.points.length > 0 && (
        <section class="card" aria-labelledby="alarm-curve">
          <header class="card-head">
            <h2 id="alarm-curve">{t('alarm.curve')}</h2>
          </header>
          <AlarmCurveView alarm={alarm} curve={alarm.curve} />
        </section>
      )}
      <AlarmActs key={alarm.id} park={park} alarm={alarm} acted={acted} />
      <section class="card alarm-history" aria-labelledby="alarm-history">
        <header class="card-head">
          <h2 id="alarm-history">{t('alarm.history')}</h2>
        </header>
        <ol>
          {history(alarm).map((moment, index) => (
            <Happened key={`${moment.kind} ${moment.at} ${index}`} moment={moment} />
          ))}
        </ol>
      </section>
    </>
  );
}

function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Facts({ alarm }: { alarm: AlarmWhole }) {
  const withheld = alarm.withheld.split(':')[0] ?? '';
  return (
    <dl class="facts alarm-facts">
      <Fact label={t('alarm.subject')}>{named(alarm.subject_name) || alarm.subject}</Fact>
      <Fact label={t('alarm.kind')}>{word('alarm.kinds', alarm.kind) ?? alarm.kind}</Fact>
      {alarm.value !== null && (
        <Fact label={t('alarm.value')}>
          <Value value={alarm.value} unit={alarm.unit} />
        </Fact>
      )}
      {alarm.worst !== null && (
        <Fact label={t('alarm.worst')}>
          <Value value={alarm.worst} unit={alarm.unit} />
        </Fact>
      )}
      {alarm.limit !== null && (
        <Fact label={t('alarm.limit')}>
          <Value value={alarm.limit} unit={alarm.unit} />
        </Fact>
      )}
      <Fact label={t('alarm.fired')}>{fullTime(alarm.fired_at)}</Fact>
      <Fact label={t(alarm.resolved_at === null ? 'alarm.standsFor' : 'alarm.stoodFor')}>
        <Standing alarm={alarm} />
      </Fact>
      {alarm.acknowledged && (
        <Fact label={t('alarm.acknowledgedBy')}>
          {alarm.acknowledged.by}, {timeText(alarm.acknowledged.at)}
          {alarm.acknowledged.comment && ` · ${alarm.acknowledged.comment}`}
        </Fact>
      )}
      {alarm.shelved_until !== null && Date.parse(alarm.shelved_until) > minute.value && (
        <Fact label={t('alarm.shelvedUntil')}>{timeText(alarm.shelved_until)}</Fact>
      )}
      {alarm.withheld && alarm.resolved_at === null && (
        <Fact label={t('alarm.withheld')}>{word('alarm.why', slug(withheld)) ?? alarm.withheld}</Fact>
      )}
      <Fact label={t('alarm.rule')}>
        <code>{alarm.rule}</code>
      </Fact>
    </dl>
  );
}

const slug = (text: string) => text.trim().replace(/\W+/g, '_');

function Happened({ moment }: { moment: Moment }) {
  return (
    <li class={`happened happened-${moment.kind}`}>
      <time class="num muted" dateTime={moment.at || undefined}>
        {moment.at ? timeText(moment.at) : t(`alarm.message.${moment.message?.state ?? 'waiting'}`)}
      </time>
      <span class="happened-what">{said(moment)}</span>
    </li>
  );
}

function said({ kind, act, message }: Moment): string {
  if (kind === 'act' && act) {
    const until = act.until ? ` ${t('alarm.until', { time: timeText(act.until) })}` : '';
    const comment = act.comment ? ` · ${act.comment}` : '';
    return `${t(`alarm.acted.${act.act}`)}${until}: ${act.person}${comment}`;
  }
  if (kind === 'message' && message) {
    const why = word('alarm.why', slug(message.why)) ?? message.why;
    const error = message.error ? ` · ${message.error}` : '';
    const state = message.sent_at === null ? '' : `${t(`alarm.message.${message.state}`)}: `;
    return `${state}${message.receiver} · ${why}${error}`;
  }
  return t(`alarm.happened.${kind}` as 'alarm.happened.fired');
}
