import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { alarms, minute } from '../lib/alarmdoor';
import { type ActName, type AlarmWhole, stateOf } from '../lib/alarms';
import { clock } from '../lib/store';
import { failure } from './answer';

const MINUTES = [15, 60, 240, 480] as const;

/** What a person can do with an alarm; of one that is over, say something. Their name is that of their token; it goes into the history. */
export function AlarmActs({ park, alarm, acted }: { park: string; alarm: AlarmWhole; acted: () => void }) {
  const [comment, setComment] = useState('');
  const [minutes, setMinutes] = useState<number>(MINUTES[1]);
  const [failed, setFailed] = useState('');
  const [busy, setBusy] = useState(false);
  const state = stateOf(alarm, minute.value);
  const act = async (name: ActName) => {
    setBusy(true);
    setFailed('');
    const until = name === 'shelve' ? new Date(clock.peek() + minutes * 60_000).toISOString() : null;
    try {
      await alarms.act(park, alarm.id, name, comment.trim(), until);
      setComment('');
      acted();
    } catch (error) {
      setFailed(failure(error).reason);
    } finally {
      setBusy(false);
    }
  };
  const said = comment.trim() !== '';
  const over = state === 'resolved' || state === 'historical';
  return (
    <section class="card alarm-acts" aria-labelledby="alarm-acts">
      <header class="card-head">
        <h2 id="alarm-acts">{t('alarm.acts')}</h2>
      </header>
      <form onSubmit={(event) => event.preventDefault()}>
        <label>
          <span class="muted">{t('alarm.comment')}</span>
          <textarea
            rows={2}
            value={comment}
            maxLength={1000}
            onInput={(event) => setComment(event.currentTarget.value)}
            data-testid="alarm-comment"
          />
        </label>
        <div class="alarm-buttons">
          {!over && alarm.acknowledged === null && (
            <Act name="acknowledge" primary disabled={busy} act={act} />
          )}
          <Act name="comment" disabled={busy || !said} act={act} />
          {!over && (
            <Aside
              alarm={alarm}
              shelved={state === 'shelved'}
              disabled={busy}
              said={said}
              act={act}
              minutes={minutes}
              setMinutes={setMinutes}
            />
          )}
        </div>
        {!over && <p class="muted small">{t('alarm.needsReason')}</p>}
        {failed && (
          <p class="alarm-refused" role="alert" data-testid="alarm-refused">
            {failed}
          </p>
        )}
      </form>
    </section>
  );
}

interface AsideProps {
  alarm: AlarmWhole;
  shelved: boolean;
  disabled: boolean;
  said: boolean;
  act: (name: ActName) => Promise<void>;
  minutes: number;
  setMinutes: (minutes: number) => void;
}

/** Putting an alarm aside for a time, or until a person ends it, and taking it up again. */
function Aside({ alarm, shelved, disabled, said, act, minutes, setMinutes }: AsideProps) {
  return (
    <>
      {shelved ? (
        <Act name="unshelve" disabled={disabled} act={act} />
      ) : (
        <span class="alarm-shelve">
          <Act name="shelve" disabled={disabled || !said} act={act} />
          <label>
            <span class="hidden">{t('alarm.shelveFor')}</span>
            <select
              value={String(minutes)}
              onChange={(event) => setMinutes(Number(event.currentTarget.value))}
              data-testid="alarm-shelve-for"
            >
              {MINUTES.map((count) => (
                <option key={count} value={String(count)}>
                  {count < 60 ? t('alarm.lasted.min', { count }) : t('alarm.lasted.h', { count: count / 60 })}
                </option>
              ))}
            </select>
          </label>
        </span>
      )}
      <Act
        name={alarm.out_of_service ? 'in_service' : 'out_of_service'}
        disabled={disabled || (!alarm.out_of_service && !said)}
        act={act}
      />
    </>
  );
}

interface ActProps {
  name: ActName;
  disabled: boolean;
  act: (name: ActName) => Promise<void>;
  primary?: boolean;
}

function Act({ name, disabled, act, primary = false }: ActProps) {
  return (
    <button
      type="button"
      class={primary ? 'button alarm-primary' : 'button'}
      disabled={disabled}
      onClick={() => void act(name)}
      data-testid={`alarm-do-${name}`}
    >
      {t(`alarm.do.${name}`)}
    </button>
  );
}
