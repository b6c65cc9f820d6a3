/** The door to the HTTP API: same origin, cookie, problem+json. */

import type { Device, Now, Park, Series, Session, Working } from './types';

const BASE = '/api/v1';

/** A refusal by the API; `status` 0 means that no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

async function problem(response: Response): Promise<ApiError> {
  let detail = response.statusText;
  try {
    const body: unknown = await response.json();
    if (body && typeof body === 'object') {
      const { detail: text, title } = body as { detail?: unknown; title?: unknown };
      if (typeof text === 'string') detail = text;
      else if (typeof title === 'string') detail = title;
    }
  } catch {
    // not a problem document: the status line has to do
  }
  return new ApiError(response.status, detail);
}

async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, credentials: 'same-origin', signal: AbortSignal.timeout(15_000) };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'content-type': 'application/json' };
  }
  let response: Response;
  try {
    response = await fetch(BASE + path, init);
  } catch (error) {
    throw new ApiError(0, String(error));
  }
  if (!response.ok) throw await problem(response);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

export function inPark(park: string, rest: string): string {
  return `/parks/${encodeURIComponent(park)}/${rest}`;
}

export const get = <T>(path: string) => request<T>('GET', path);
export const send = <T>(path: string, body: unknown) => request<T>('POST', path, body);

export interface SeriesQuery {
  metric: string;
  from: number;
  to: number;
  step: '15m' | '1h' | '1d' | '1mo';
  group_by?: 'none' | 'tenant' | 'device' | 'flow';
}

export const api = {
  signIn: (token: string) => request<Session>('POST', '/session', { token }),
  signOut: () => request<unknown>('DELETE', '/session'),
  parks: async () => (await request<{ parks: Park[] }>('GET', '/parks')).parks,
  now: (park: string) => request<Now>('GET', inPark(park, 'now')),
  devices: async (park: string) =>
    (await request<{ devices: Device[] }>('GET', inPark(park, 'devices'))).devices,
  series: (park: string, query: SeriesQuery) => {
    const parameters = new URLSearchParams({
      metric: query.metric,
      from: new Date(query.from).toISOString(),
      to: new Date(query.to).toISOString(),
      step: query.step,
      group_by: query.group_by ?? 'none',
    });
    return request<Series>('GET', inPark(park, `series?${parameters}`));
  },
  working: (park: string, figure: string, at: string | null) => {
    const parameters = new URLSearchParams({ figure });
    if (at) parameters.set('at', at);
    return request<Working>('GET', inPark(park, `working?${parameters}`));
  },
  liveUrl: (park: string) => BASE + inPark(park, 'live'),
};
