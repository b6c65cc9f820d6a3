import { useState } from 'preact/hooks';
import { named, t } from '../i18n';
import { clock, devices, park, sheet, tenant, timezone } from '../lib/store';
import { age, localClock, localDate } from '../lib/time';
import type { Device, DeviceState } from '../lib/types';
import { StateMark } from './icons';

export const STATES: readonly DeviceState[] = ['ok', 'silent', 'error', 'never', 'files'];

/** Those that do not answer first, all in bus order otherwise; what comes from files is on no bus and cannot answer. */
export function arrange(list: readonly Device[]): {
  attention: Device[];
  buses: { bus: string; devices: Device[] }[];
  files: Device[];
} {
  const ordered = [...list].sort((a, b) => a.position - b.position);
  const files = ordered.filter((item) => item.state === 'files');
  const attention = ordered.filter((item) => item.state !== 'ok' && item.state !== 'files');
  const buses = new Map<string, Device[]>();
  for (const item of ordered) {
    if (item.state !== 'ok') continue;
    const found = buses.get(item.bus);
    if (found) found.push(item);
    else buses.set(item.bus, [item]);
  }
  return { attention, buses: [...buses].map(([bus, members]) => ({ bus, devices: members })), files };
}

/** What all names of a group begin with, up to a middle dot: "Textiles · line 1", "Textiles · line 2" → "Textiles · ". */
export function commonLead(names: readonly string[]): string {
  const lead = /^.*?[·・]\s*/.exec(names[0] ?? '')?.[0] ?? '';
  return names.length > 1 && names.every((name) => name.startsWith(lead)) ? lead : '';
}

export function Devices() {
  const chosen = tenant.value;
  const [open, setOpen] = useState(false);
  const list = devices.value.filter((item) => chosen === null || item.tenant === chosen);
  const { attention, buses, files } = arrange(list);
  return (
    <section class="card devices-card" aria-labelledby="devices-title" data-testid="devices">
      <header class="card-head">
        <h2 id="devices-title">{t('devices.title')}</h2>
        <ul class="counts">
          {STATES.map((state) => ({ state, count: list.filter((item) => item.state === state).length }))
            .filter(({ state, count }) => count > 0 || state === 'ok')
            .map(({ state, count }) => (
              <li key={state}>
                <StateMark state={state} />
                {t(`devices.${state}`)} <strong class="num">{count}</strong>
              </li>
            ))}
        </ul>
      </header>
      {list.length === 0 && <p class="message">{t('devices.none')}</p>}
      <div class={open ? 'buses open' : 'buses'}>
        {attention.length > 0 && <Group title={t('devices.attention')} members={attention} urgent />}
        {buses.map(({ bus, devices: members }) => (
          <Group
            key={bus}
            title={`${t('devices.bus')} ${bus}`}
            members={members}
            lead={commonLead(members.map((item) => named(item.name)))}
          />
        ))}
        {files.length > 0 && <Group title={t('devices.files')} members={files} />}
      </div>
      {!open && buses.length + files.length > 0 && (
        <button type="button" class="button show-all" onClick={() => setOpen(true)}>
          {t('devices.all')} ({list.length})
        </button>
      )}
    </section>
  );
}

interface GroupProps {
  title: string;
  members: Device[];
  urgent?: boolean;
  /** Beginning of the names that all members share: said once, above. */
  lead?: string;
}

function Group({ title, members, urgent = false, lead = '' }: GroupProps) {
  return (
    <div class={urgent ? 'bus urgent' : 'bus'}>
      <h3>
        {title}
        {lead && <span class="bus-lead">{lead.replace(/\s*[·・]\s*$/, '')}</span>}
      </h3>
      <ul>
        {members.map((item) => (
          <Entry key={item.device} item={item} lead={lead} />
        ))}
      </ul>
    </div>
  );
}

function Entry({ item, lead }: { item: Device; lead: string }) {
  const name = named(item.name);
  return (
    <li data-testid={`device-${item.device}`} data-state={item.state}>
      <button
        type="button"
        class="device"
        title={item.detail ? `${name}: ${item.detail}` : name}
        onClick={() => {
          sheet.value = { kind: 'device', device: item.device };
        }}
      >
        <StateMark state={item.state} />
        <span class="hidden">{t(`devices.${item.state}`)} </span>
        <span class="device-name">{name.slice(lead.length)}</span>
        <LastSeen item={item} />
      </button>
    </li>
  );
}

function LastSeen({ item }: { item: Device }) {
  if (item.last_seen === null) {
    const text = t(item.state === 'files' ? 'devices.nothingYet' : 'devices.never');
    return <span class="device-seen muted">{text}</span>;
  }
  const ms = Date.parse(item.last_seen);
  const { count, unit } = age(clock.value - ms);
  return (
    <time
      class="device-seen num muted"
      dateTime={item.last_seen}
      title={`${t(lastSeenLabel(item))} ${moment(ms)}`}
    >
      {t(`age.${unit}`, { count })}
    </time>
  );
}

export function lastSeenLabel(item: Device): 'devices.lastSeen' | 'devices.lastImported' {
  return item.state === 'files' ? 'devices.lastImported' : 'devices.lastSeen';
}

/** Date and time of day in the park. */
export function moment(ms: number): string {
  return `${localDate(timezone.value, ms)} ${localClock(timezone.value, ms)}`;
}

export function tenantName(id: string | null): string {
  const found = park.value?.tenants.find((item) => item.tenant === id);
  return found ? named(found.name) : '';
}
