import { signal } from '@preact/signals';
import type { Name } from '../lib/types';
import { en } from './en';
import { phrase } from './phrases';
import { type Key, zh } from './zh';

export type Language = 'zh' | 'en';
export type { Key };

const TEXTS: Record<Language, Record<Key, string>> = { zh, en };

export const language = signal<Language>('zh');

export function t(key: Key, values?: Record<string, string | number>): string {
  const text = TEXTS[language.value][key];
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text;
}

/** A text by a key that comes from data; null where the page has no word for it. */
export function word(prefix: string, code: string): string | null {
  return (TEXTS[language.value] as Record<string, string>)[`${prefix}.${code}`] ?? null;
}

export function named(name: Name | null | undefined): string {
  if (!name) return '';
  return (language.value === 'zh' ? name.zh : name.en) || name.zh || name.en;
}

/** A sentence or label that the API sends in English. */
export function said(text: string): string {
  return language.value === 'zh' ? phrase(text) : text;
}
