import { useRef, useState } from 'preact/hooks';
import { t } from '../i18n';
import { ApiError } from '../lib/api';
import { signIn } from '../lib/store';
import { DisplayButtons } from './bar';
import { Logo } from './icons';

export function SignIn() {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);

  const submit = async (event: Event) => {
    event.preventDefault();
    const token = field.current?.value.trim();
    if (!token) {
      field.current?.focus();
      return;
    }
    setBusy(true);
    setProblem(null);
    try {
      await signIn(token);
    } catch (error) {
      const refused = error instanceof ApiError && error.status >= 400 && error.status < 500;
      setProblem(refused ? t('signin.refused') : t('signin.offline'));
      field.current?.select();
    } finally {
      setBusy(false);
    }
  };

  return (
    <div class="signin">
      <header class="signin-tools">
        <DisplayButtons />
      </header>
      <main class="signin-main">
        <form class="signin-card" onSubmit={(event) => void submit(event)}>
          <div class="signin-brand">
            <Logo />
            <span>ParkCarbon</span>
          </div>
          <h1>{t('signin.title')}</h1>
          <p class="muted">{t('signin.lead')}</p>
          <label for="token">{t('signin.token')}</label>
          <input
            id="token"
            ref={field}
            data-testid="signin-token"
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            aria-describedby="token-help token-problem"
            aria-invalid={problem !== null}
          />
          <p id="token-problem" class="problem" role="alert">
            {problem}
          </p>
          <button type="submit" class="button primary" disabled={busy} data-testid="signin-go">
            {t('signin.go')}
          </button>
          <p id="token-help" class="muted small">
            {t('signin.where')} {t('signin.note')}
          </p>
        </form>
      </main>
    </div>
  );
}
