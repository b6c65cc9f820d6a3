import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';

/** The books are fetched when they are first opened: the live page does not wait for them. */
export function BooksGate() {
  const [view, setView] = useState<{ Books: FunctionComponent } | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    import('./books').then(setView).catch(() => setFailed(true));
  }, []);
  if (view) return <view.Books />;
  return (
    <p class="message" role="status">
      {t(failed ? 'page.failed' : 'page.loading')}
    </p>
  );
}
