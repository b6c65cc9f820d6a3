/** Icons drawn for this page, 20 × 20, stroked in the text colour. They accompany words and are hidden from readers. */

import type { ComponentChildren } from 'preact';
import type { DeviceState, NodeKind } from '../lib/types';

function Icon({ children, className = '' }: { children: ComponentChildren; className?: string }) {
  return (
    <svg class={`icon ${className}`} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const Logo = () => (
  <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="7" class="logo-ground" />
    <path d="M8 22V10h7.5a4.5 4.5 0 0 1 0 9H12" class="logo-p" />
    <path d="M25 13.2a4.8 4.8 0 1 0 0 7" class="logo-c" />
  </svg>
);

export const Sun = () => (
  <Icon>
    <circle cx="10" cy="10" r="3.4" />
    <path d="M10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.4 1.4M14.3 14.3l1.4 1.4M4.3 15.7l1.4-1.4M14.3 5.7l1.4-1.4" />
  </Icon>
);

export const Moon = () => (
  <Icon>
    <path d="M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7Z" />
  </Icon>
);

export const Contrast = () => (
  <Icon>
    <circle cx="10" cy="10" r="7" />
    <path d="M10 3a7 7 0 0 1 0 14Z" class="solid" />
  </Icon>
);

export const Screen = () => (
  <Icon>
    <rect x="2.5" y="3.5" width="15" height="10" rx="1.5" />
    <path d="M7 17h6M10 13.5V17" />
  </Icon>
);

export const Leave = () => (
  <Icon>
    <path d="M8 3.5H4.5a1 1 0 0 0-1 1v11a1 1 0 0 0 1 1H8M13 6.5l3.5 3.5-3.5 3.5M16 10H8" />
  </Icon>
);

export const Close = () => (
  <Icon>
    <path d="M5 5l10 10M15 5 5 15" />
  </Icon>
);

export const Check = () => (
  <Icon>
    <path d="M4 10.5 8.2 15 16 6" />
  </Icon>
);

export const Warning = () => (
  <Icon>
    <path d="M10 3 18 16.5H2Z" />
    <path d="M10 8v4M10 14.2v.3" />
  </Icon>
);

export const Bell = () => (
  <Icon>
    <path d="M5 13.5V9a5 5 0 0 1 10 0v4.5l1.5 1.5h-13ZM8.3 17.2a2 2 0 0 0 3.4 0M10 2v2" />
  </Icon>
);

export const Bolt = () => (
  <Icon>
    <path d="M11 2 4.5 11.5H9L8.5 18 15.5 8H11Z" />
  </Icon>
);

const Grid = () => (
  <Icon>
    <path d="M10 2 5.5 18M10 2l4.5 16M4 7h12M6.5 14.5l6-7M13.5 14.5l-6-7" />
  </Icon>
);

const Panel = () => (
  <Icon>
    <path d="M5 4h10l2.5 9h-15Z M3.8 8.5h12.4M10 4v9M10 13v4M6.5 17h7" />
  </Icon>
);

const Battery = () => (
  <Icon>
    <rect x="2.5" y="6" width="13" height="8.5" rx="1.5" />
    <path d="M17.5 9v2.5M6 8.5v3.5M9 8.5v3.5M12 8.5v3.5" />
  </Icon>
);

const Flame = () => (
  <Icon>
    <path d="M10 2.5c.6 3 4.7 4.6 4.7 9a4.7 4.7 0 0 1-9.4 0c0-2.2 1.2-3.2 1.8-4.6.8 1 1 1.7 1 2.6C9.5 8 10.3 5.5 10 2.5Z" />
  </Icon>
);

const Heat = () => (
  <Icon>
    <path d="M5.5 17c-2-2.3 2-4.5 0-7s2-4.5 0-7M10.5 17c-2-2.3 2-4.5 0-7s2-4.5 0-7M15.5 17c-2-2.3 2-4.5 0-7s2-4.5 0-7" />
  </Icon>
);

const Factory = () => (
  <Icon>
    <path d="M2.5 17V8.5l5 3v-3l5 3V4h3.5v13ZM6 14h1.5M10 14h1.5" />
  </Icon>
);

const Unknown = () => (
  <Icon>
    <circle cx="10" cy="10" r="7" class="dashed" />
    <path d="M8 8a2 2 0 1 1 2.7 1.9c-.5.2-.7.6-.7 1.1v.5M10 13.8v.2" />
  </Icon>
);

export function KindIcon({ kind }: { kind: NodeKind }) {
  switch (kind) {
    case 'grid':
      return <Grid />;
    case 'pv':
      return <Panel />;
    case 'battery':
      return <Battery />;
    case 'gas':
      return <Flame />;
    case 'heat':
      return <Heat />;
    case 'tenant':
      return <Factory />;
    case 'bus':
      return <Bolt />;
    default:
      return <Unknown />;
  }
}

/** State by shape as well as by colour: dot, triangle, square, ring, sheet of paper. */
export function StateMark({ state }: { state: DeviceState }) {
  return (
    <svg class={`state state-${state}`} viewBox="0 0 12 12" aria-hidden="true" focusable="false">
      {state === 'ok' && <circle cx="6" cy="6" r="4" />}
      {state === 'silent' && <path d="M6 1 11.5 11H.5Z" />}
      {state === 'error' && <rect x="1.5" y="1.5" width="9" height="9" />}
      {state === 'never' && <circle cx="6" cy="6" r="3.8" class="ring" />}
      {state === 'files' && <path d="M2.5 1h4.6l2.4 2.4V11h-7Z" />}
    </svg>
  );
}

export const Arrow = ({ direction }: { direction: 'up' | 'down' | 'same' }) => (
  <svg class={`arrow arrow-${direction}`} viewBox="0 0 10 10" aria-hidden="true" focusable="false">
    {direction === 'up' && <path d="M5 1.5 9 8.5H1Z" />}
    {direction === 'down' && <path d="M5 8.5 1 1.5h8Z" />}
    {direction === 'same' && <path d="M1 4h8v2H1Z" />}
  </svg>
);
