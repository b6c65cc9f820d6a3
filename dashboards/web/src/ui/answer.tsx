import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';
import { ApiError } from '../lib/api';

/** What is asked for, or why it is not there. */
export type Answer<T> =
  | { kind: 'loading' }
  | { kind: 'failed'; reason: string }
  | { kind: 'ready'; value: T };

export function failure(error: unknown): { kind: 'failed'; reason: string } {
  return { kind: 'failed', reason: error instanceof ApiError ? error.message : String(error) };
}

/** Asks again whenever the key changes; an answer to an earlier question is dropped. */
export function useAnswer<T>(key: string | null, ask: () => Promise<T>): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ kind: 'loading' });
  useEffect(() => {
    let gone = false;
    setAnswer({ kind: 'loading' });
    if (key === null) return;
    ask()
      .then((value) => {
        if (!gone) setAnswer({ kind: 'ready', value });
      })
      .catch((error: unknown) => {
        if (!gone) setAnswer(failure(error));
      });
    return () => {
      gone = true;
    };
  }, [key]);
  return answer;
}

export function Waiting({ answer }: { answer: Answer<unknown> }) {
  if (answer.kind === 'ready') return null;
  return (
    <p class="message" role={answer.kind === 'failed' ? 'alert' : 'status'}>
      {answer.kind === 'failed' ? t('books.failed', { reason: answer.reason }) : t('page.loading')}
    </p>
  );
}
