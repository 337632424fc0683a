// How one generation was made, from its record.
import { html, useEffect, useState } from '../vendor/preact.js';
import { get, pictureUrl } from '../shared/api.js';
import { duration, moment, t } from '../shared/i18n.js';
import { Dialog } from '../shared/ui.js';
import { failed } from './studies.js';

const FACTS = ['prompt', 'negative_prompt', 'checkpoint', 'model_hash', 'sampler_name', 'steps', 'cfg_scale', 'seed', 'instance', 'template', 'preset', 'model'];

export function How({ id, close }) {
  const [job, setJob] = useState(null);
  useEffect(() => {
    get(`/api/generations/${id}`).then(setJob, failed);
  }, []);
  return html`<${Dialog} title=${t('research.how')} onClose=${close} class="dialog-wide">
    ${job && html`<p class="field-hint">${job.operation} · ${t('research.seed')} ${job.seed} · ${moment(job.created_at)} · ${duration(job.duration_s)}</p>
      <div class="thumbs">${job.outputs.filter((one) => one.url).map((one) => html`<a href=${pictureUrl(one.url)} target="_blank"><img alt=${job.operation} width="128" height="128" src=${pictureUrl(one.url, 256)} /></a>`)}</div>
      ${job.error && html`<p class="banner banner-danger">${job.error.message}</p>`}
      ${job.steps.map((step) => html`<details open=${step.kind !== 'chat'}><summary><b>${step.kind}</b> ${step.name} · ${duration(step.duration_s)}</summary>
        <dl class="facts-list">${FACTS.filter((name) => step.details[name] !== undefined && step.details[name] !== null).map((name) => html`<dt>${name}</dt><dd>${String(step.details[name])}</dd>`)}</dl>
      </details>`)}`}
  <//>`;
}
