import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';

/** The pages of statements are fetched when they are first opened: the live page does not wait for them. */
export function StatementsGate() {
  const [view, setView] = useState<{ Statements: FunctionComponent } | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    import('./statements').then(setView).catch(() => setFailed(true));
  }, []);
  if (view) return <view.Statements />;
  return (
    <p class="message" role="status">
      {t(failed ? 'page.failed' : 'page.loading')}
    </p>
  );
}
