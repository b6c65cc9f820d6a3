import { named, t } from '../i18n';
import { devices, park } from '../lib/store';
import { Check } from './icons';

/** Three steps to the first meter, ticked off from what the API already knows of the park. */
export function EmptyPark() {
  const registered = devices.value.length > 0;
  const answering = devices.value.some((item) => item.last_seen !== null);
  const done = [registered, answering, false];
  const next = done.indexOf(false);
  const steps = [
    { title: t('empty.step1'), text: t('empty.step1Text'), command: 'python -m ingest park apply park.yaml' },
    { title: t('empty.step2'), text: t('empty.step2Text'), command: 'python -m edge run edge.yaml' },
    { title: t('empty.step3'), text: t('empty.step3Text'), command: null },
  ];
  return (
    <section class="empty" data-testid="empty-park" aria-label={named(park.value?.name)}>
      <h2>{t('empty.title')}</h2>
      <p class="muted">{t('empty.lead')}</p>
      <ol>
        {steps.map((step, index) => {
          const state = done[index] ? 'done' : index === next ? 'next' : 'later';
          return (
            <li key={step.title} class={`step step-${state}`} data-state={state}>
              <span class="step-mark" aria-hidden="true">
                {state === 'done' ? <Check /> : index + 1}
              </span>
              <div>
                <h3>
                  {step.title} <span class="step-state">{t(`empty.${state}`)}</span>
                </h3>
                <p>{step.text}</p>
                {step.command && <code>{step.command}</code>}
                {index === 0 && registered && (
                  <p class="small muted">{t('empty.devices', { count: devices.value.length })}</p>
                )}
              </div>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
