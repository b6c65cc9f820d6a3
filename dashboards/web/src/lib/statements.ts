/** Statements as the page reads them: the list, one with its record and files, and what people do with it. */

import { signal } from '@preact/signals';
import { get, inPark, send } from './api';
import type { Missing, StatementRecord } from './record';

export type State = 'draft' | 'reviewed' | 'approved' | 'issued' | 'locked' | 'rejected' | 'superseded';

export interface StatementRow {
  statement_id: number;
  number: string;
  version: number;
  kind: 'flash' | 'statement' | 'annual';
  period: string;
  state: State;
  verdict: string;
  digest: string;
  issued_at: string | null;
}

export interface StatementFile {
  name: string;
  bytes: number;
  sha256: string;
}

export interface StatementAct {
  act: string;
  person: string;
  comment: string;
  at: string;
}

export interface Statement extends StatementRow {
  files: StatementFile[];
  acts: StatementAct[];
  missing: Missing[];
}

/** What the address says: `#statements` or `#statements/12`. */
export interface StatementPlace {
  id: number | null;
}

export function statementPlaceOf(hash: string): StatementPlace | null {
  const [view, id] = hash.replace(/^#/, '').split('/');
  if (view !== 'statements') return null;
  return { id: id && /^\d+$/.test(id) ? Number(id) : null };
}

export const statementPlace = signal<StatementPlace | null>(statementPlaceOf(location.hash));
window.addEventListener('hashchange', () => {
  statementPlace.value = statementPlaceOf(location.hash);
});

export function openStatement(id: number | null): void {
  location.hash = id === null ? '#statements' : `#statements/${id}`;
}

/** The newest first; of two versions of a month the later one. */
export function newest(rows: readonly StatementRow[]): StatementRow | undefined {
  return rows
    .filter((row) => row.state !== 'rejected' && row.state !== 'superseded')
    .toSorted((a, b) => b.period.localeCompare(a.period) || rank(b) - rank(a) || b.version - a.version)[0];
}

/** A statement goes before the flash report of the same month. */
const rank = (row: StatementRow) => (row.kind === 'flash' ? 0 : 1);

export const statements = {
  list: async (park: string) =>
    (await get<{ statements: StatementRow[] }>(inPark(park, 'statements'))).statements,
  one: (park: string, id: number) => get<Statement>(inPark(park, `statements/${id}`)),
  record: (park: string, id: number) => get<StatementRecord>(inPark(park, `statements/${id}/record`)),
  act: (park: string, id: number, act: string, comment: string, digest: string) =>
    send<Statement>(inPark(park, `statements/${id}/acts`), { act, comment, digest }),
  fileUrl: (park: string, id: number, name: string) =>
    `/api/v1${inPark(park, `statements/${id}/files/${encodeURIComponent(name)}`)}`,
};
