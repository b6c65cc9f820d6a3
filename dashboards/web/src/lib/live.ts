/**
 * The live connection: server-sent events while they work, polling while they do not, and no reload ever.
 *
 * The browser reconnects an EventSource after a dropped connection, but gives up on an HTTP error and may wait minutes on a
 * half-open one; so a watchdog replaces a connection that is closed or has been silent for 25 s (the server pings every 10 s),
 * with exponential back-off, and `now` is polled every 5 s meanwhile.
 */

import type { Now } from './types';

export interface LiveSource {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

export interface LiveDoor {
  open: () => LiveSource;
  poll: () => Promise<Now>;
  monotonicMs: () => number;
}

export type Channel = 'stream' | 'poll' | 'down';

export interface LiveHandlers {
  now: (now: Now) => void;
  channel: (channel: Channel) => void;
  refused: () => void;
}

const CLOSED = 2;
const SILENT_MS = 25_000;
const POLL_MS = 5_000;
const TICK_MS = 1_000;
const BACKOFF_MIN_MS = 1_000;
const BACKOFF_MAX_MS = 15_000;

export class Live {
  private source: LiveSource | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private heardMs = 0;
  private reopenMs = 0;
  private backoffMs = BACKOFF_MIN_MS;
  private polledMs = Number.NEGATIVE_INFINITY;
  private polling = false;
  private streaming = false;
  private stopped = false;

  constructor(
    private readonly door: LiveDoor,
    private readonly handlers: LiveHandlers,
  ) {}

  start(): void {
    this.open();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
    this.source?.close();
    this.source = null;
  }

  /** One look at the connection; called every second. */
  tick(): void {
    const now = this.door.monotonicMs();
    if (this.source && (this.source.readyState === CLOSED || now - this.heardMs > SILENT_MS)) {
      this.source.close();
      this.source = null;
      this.streaming = false;
      this.reopenMs = now + this.backoffMs;
      this.backoffMs = Math.min(this.backoffMs * 2, BACKOFF_MAX_MS);
    }
    if (!this.source && now >= this.reopenMs) this.open();
    const quiet = !this.streaming || now - this.heardMs > 2 * POLL_MS + 2_000;
    if (quiet && !this.polling && now - this.polledMs >= POLL_MS) void this.poll(now);
  }

  private open(): void {
    const source = this.door.open();
    this.source = source;
    this.heardMs = this.door.monotonicMs();
    const heard = () => {
      if (this.source !== source) return;
      this.heardMs = this.door.monotonicMs();
      this.backoffMs = BACKOFF_MIN_MS;
      this.streaming = true;
      this.handlers.channel('stream');
    };
    source.addEventListener('open', heard);
    source.addEventListener('ping', heard);
    source.addEventListener('now', (event) => {
      heard();
      if (this.source === source) this.handlers.now(JSON.parse(event.data) as Now);
    });
    source.addEventListener('error', () => {
      if (this.source === source) this.streaming = false;
    });
  }

  private async poll(now: number): Promise<void> {
    this.polling = true;
    this.polledMs = now;
    try {
      const answer = await this.door.poll();
      if (this.stopped) return;
      if (!this.streaming) this.handlers.channel('poll');
      this.handlers.now(answer);
    } catch (error) {
      if (this.stopped) return;
      if (!this.streaming) this.handlers.channel('down');
      if ((error as { status?: number }).status === 401) this.handlers.refused();
    } finally {
      this.polling = false;
    }
  }
}
