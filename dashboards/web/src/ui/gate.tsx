import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';

/** A view that is fetched when it is first opened: the live page does not wait for it. */
export function Gate({ load }: { load: () => Promise<FunctionComponent> }) {
  const [view, setView] = useState<{ View: FunctionComponent } | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    load()
      .then((View) => setView({ View }))
      .catch(() => setFailed(true));
  }, []);
  if (view) return <view.View />;
  return (
    <p class="message" role="status">
      {t(failed ? 'page.failed' : 'page.loading')}
    </p>
  );
}
