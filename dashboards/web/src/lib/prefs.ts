/** What this browser prefers: language, theme, wall mode. Kept here, never sent. */

import { effect, signal } from '@preact/signals';
import { type Language, language } from '../i18n';

export type Theme = 'auto' | 'light' | 'dark';

export const theme = signal<Theme>('auto');
export const wall = signal(false);

/** Bumped when the colours on the page have changed: whoever draws on a canvas reads it. */
export const paint = signal(0);

const STORE = 'parkcarbon.preferences';

interface Stored {
  language?: string;
  theme?: string;
}

function stored(): Stored {
  try {
    return (JSON.parse(localStorage.getItem(STORE) ?? '{}') ?? {}) as Stored;
  } catch {
    return {}; // storage is off or holds something else: defaults serve
  }
}

const THEMES: readonly string[] = ['auto', 'light', 'dark'];

/** Address (`?lang=en&theme=dark&wall=1`) before storage before the browser's own setting. */
export function loadPreferences(): void {
  const address = new URLSearchParams(location.search);
  const kept = stored();
  const wanted = address.get('lang') ?? kept.language ?? navigator.language;
  language.value = wanted.startsWith('zh') ? 'zh' : 'en';
  const look = address.get('theme') ?? kept.theme ?? 'auto';
  theme.value = THEMES.includes(look) ? (look as Theme) : 'auto';
  wall.value = address.get('wall') === '1';
  applyPreferences();
}

function applyPreferences(): void {
  const systemDark = matchMedia('(prefers-color-scheme: dark)');
  effect(() => {
    document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
  });
  const colours = () => {
    const dark = theme.value === 'dark' || (theme.value === 'auto' && systemDark.matches);
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
    paint.value = paint.peek() + 1;
  };
  effect(colours);
  systemDark.addEventListener('change', colours);
  effect(() => {
    document.documentElement.classList.toggle('wall', wall.value);
    paint.value = paint.peek() + 1;
  });
  effect(() => {
    const kept: Stored = { language: language.value, theme: theme.value };
    try {
      localStorage.setItem(STORE, JSON.stringify(kept));
    } catch {
      // storage is off: the choice lasts as long as the page
    }
  });
}

export function otherLanguage(): void {
  const next: Language = language.value === 'zh' ? 'en' : 'zh';
  language.value = next;
}

const CUSTOM_PROPERTY = /^--[\w-]+$/;

/** A colour of the current theme, for canvases. */
export function colour(name: string): string {
  if (!CUSTOM_PROPERTY.test(name)) throw new Error(`not a custom property: ${name}`);
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
