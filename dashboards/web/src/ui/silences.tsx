import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { alarms, minute } from '../lib/alarmdoor';
import { labelsOf, type Silence } from '../lib/alarms';
import { clock } from '../lib/store';
import { fullTime } from './alarmmark';
import { failure, useAnswer, Waiting } from './answer';

const HOURS = [1, 4, 8, 24, 72, 168] as const;

/** Nobody is told of alarms that match, for a time; the alarms themselves are raised and listed as ever. */
export function Silences({ park }: { park: string }) {
  const [turn, setTurn] = useState(0);
  const answer = useAnswer(`${park} ${turn}`, () => alarms.silences(park));
  const again = () => setTurn(turn + 1);
  return (
    <div class="alarm-silences" data-testid="alarm-silences">
      <NewSilence park={park} again={again} />
      <section class="card" aria-labelledby="silences-title">
        <header class="card-head">
          <h2 id="silences-title">{t('alarm.tab.silences')}</h2>
        </header>
        <Waiting answer={answer} />
        {answer.kind === 'ready' && <List park={park} silences={answer.value} again={again} />}
      </section>
    </div>
  );
}

function List({ park, silences, again }: { park: string; silences: Silence[]; again: () => void }) {
  const [failed, setFailed] = useState('');
  if (silences.length === 0) return <p class="message">{t('silence.none')}</p>;
  const end = async (id: number) => {
    try {
      await alarms.endSilence(park, id);
      again();
    } catch (error) {
      setFailed(failure(error).reason);
    }
  };
  return (
    <>
      {failed && (
        <p class="alarm-refused" role="alert">
          {failed}
        </p>
      )}
      <ul class="alarm-rows">
        {silences.map((silence) => (
          <li
            key={silence.id}
            class="silence"
            data-testid={`silence-${silence.id}`}
            data-active={silence.active}
          >
            <div class="silence-what">
              <code>{matchText(silence.match)}</code>
              <p>{silence.comment}</p>
              <p class="muted small num">
                {fullTime(silence.begin)} – {fullTime(silence.ended_at ?? silence.end)} · {silence.author}
                {silence.ended_by && ` · ${t('silence.endedBy', { person: silence.ended_by })}`}
              </p>
            </div>
            <span class={silence.active ? 'tag warn' : 'tag'}>
              {t(silence.active ? 'silence.active' : pending(silence) ? 'silence.planned' : 'silence.over')}
            </span>
            {(silence.active || pending(silence)) && (
              <button
                type="button"
                class="button"
                onClick={() => void end(silence.id)}
                data-testid={`silence-end-${silence.id}`}
              >
                {t('silence.end')}
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

const pending = (silence: Silence): boolean =>
  silence.ended_at === null && !silence.active && Date.parse(silence.begin) > minute.value;

const matchText = (match: Record<string, string>): string =>
  Object.entries(match)
    .map(([label, value]) => `${label}=${value}`)
    .join(', ');

function NewSilence({ park, again }: { park: string; again: () => void }) {
  const [match, setMatch] = useState('');
  const [hours, setHours] = useState<number>(HOURS[1]);
  const [comment, setComment] = useState('');
  const [failed, setFailed] = useState('');
  const [busy, setBusy] = useState(false);
  const labels = labelsOf(match);
  const wrong = match.trim() !== '' && labels === null;
  const save = async () => {
    if (labels === null) return;
    setBusy(true);
    setFailed('');
    try {
      const end = new Date(clock.peek() + hours * 3_600_000).toISOString();
      await alarms.silence(park, labels, end, comment.trim());
      setMatch('');
      setComment('');
      again();
    } catch (error) {
      setFailed(failure(error).reason);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="card alarm-acts" aria-labelledby="silence-new">
      <header class="card-head">
        <h2 id="silence-new">{t('silence.new')}</h2>
      </header>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <label>
          <span class="muted">{t('silence.match')}</span>
          <input
            value={match}
            placeholder="rule=night, device=m1"
            aria-invalid={wrong}
            aria-describedby="silence-labels"
            onInput={(event) => setMatch(event.currentTarget.value)}
            data-testid="silence-match"
          />
        </label>
        <p class={wrong ? 'problem' : 'muted small'} id="silence-labels">
          {t('silence.labels')}
        </p>
        <label>
          <span class="muted">{t('silence.reason')}</span>
          <input
            value={comment}
            maxLength={1000}
            onInput={(event) => setComment(event.currentTarget.value)}
            data-testid="silence-comment"
          />
        </label>
        <div class="alarm-buttons">
          <label class="silence-hours">
            <span class="muted">{t('silence.for')}</span>
            <select
              value={String(hours)}
              onChange={(event) => setHours(Number(event.currentTarget.value))}
              data-testid="silence-hours"
            >
              {HOURS.map((count) => (
                <option key={count} value={String(count)}>
                  {count < 24 ? t('alarm.lasted.h', { count }) : t('alarm.lasted.d', { count: count / 24 })}
                </option>
              ))}
            </select>
          </label>
          <button
            type="submit"
            class="button alarm-primary"
            disabled={busy || labels === null || comment.trim() === ''}
            data-testid="silence-save"
          >
            {t('silence.save')}
          </button>
        </div>
        {failed && (
          <p class="alarm-refused" role="alert" data-testid="silence-refused">
            {failed}
          </p>
        )}
      </form>
    </section>
  );
}
