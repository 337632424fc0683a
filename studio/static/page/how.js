// How a result was made: what its generation's record says, in words.
import { html, useEffect, useState } from '../vendor/preact.js';
import { get } from '../shared/api.js';
import { duration, moment, sentence, t } from '../shared/i18n.js';
import { tell } from './events.js';

export function How({ job, hash, isOpen = false }) {
  const [open, setOpen] = useState(isOpen);
  const [whole, setWhole] = useState(null);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    if (!open || whole) return;
    tell('provenance.open', { object: job.operation, generation_id: job.id });
    get(`/api/generations/${job.id}`).then(setWhole, setProblem);
  }, [open]);
  return html`<details class="how" open=${open} onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary><h3>${t('how.title')}</h3></summary>
    ${problem ? html`<p role="alert">${sentence(problem)}</p>` : !whole ? html`<p class="muted" role="status">${t('how.loading')}</p>` : html`<${Steps} job=${whole} hash=${hash} />`}
  </details>`;
}

function Steps({ job, hash }) {
  const pictures = job.steps.filter((step) => step.details.image_id || step.details.image_ids);
  const mine =
    pictures.find((step) => step.details.image_id === hash || step.details.image_ids?.includes(hash)) ||
    (hash ? pictures[0] : null);
  const chats = job.steps.filter((step) => step.kind === 'chat');
  if (!mine && !chats.length) return html`<p class="muted">${t('how.none')}</p>`;
  return html`${mine && html`<${PictureStep} step=${mine} hash=${hash} />`}
    <dl class="facts">
      <${Fact} name="made" value=${moment(job.ended_at || job.created_at)} />
      <${Fact} name="total" value=${duration(job.times.total_s ?? job.duration_s)} />
      ${!mine && html`<${Fact} name="seed" value=${job.seed} />`}
    </dl>
    ${chats.map((step) => html`<${ChatStep} key=${step.id} step=${step} />`)}`;
}

function PictureStep({ step, hash }) {
  const { details } = step;
  const place = details.image_ids ? Math.max(details.image_ids.indexOf(hash), 0) : 0;
  const units = (details.controlnet || [])
    .map((unit) => unit.model || unit.module)
    .filter(Boolean)
    .join(', ');
  return html`<p class="label">${t('how.prompt')}</p>
    <p class="prompt" lang="en">${details.prompt}</p>
    ${
      details.negative_prompt &&
      html`<p class="label">${t('how.negative')}</p>
        <p class="prompt" lang="en">${details.negative_prompt}</p>`
    }
    <dl class="facts">
      <${Fact} name="seed" value=${details.seed === undefined || details.seed === null ? null : details.seed + place} />
      <${Fact} name="checkpoint" value=${details.used?.sd_model_name || details.checkpoint} />
      <${Fact} name="sampler" value=${details.used?.sampler_name || details.sampler_name} />
      <${Fact} name="steps" value=${details.steps} />
      <${Fact} name="size" value=${details.width && `${details.width} × ${details.height}`} />
      <${Fact} name="cfg" value=${details.cfg_scale} />
      <${Fact} name="denoising" value=${details.denoising_strength} />
      <${Fact} name="controlnet" value=${units} />
      <${Fact} name="preset" value=${details.preset} />
      <${Fact} name="instance" value=${details.instance} />
      <${Fact} name="waited" value=${step.waited_s > 0.05 ? duration(step.waited_s) : null} />
      <${Fact} name="painted" value=${duration(details.paint_s)} />
    </dl>`;
}

function ChatStep({ step }) {
  const reply = step.details.replies?.[step.details.replies.length - 1];
  return html`<details class="chat-step">
    <summary>${t('how.chat', { name: step.name })}</summary>
    <p class="label">${t('how.question')}</p>
    <pre class="prompt">${step.details.prompt}</pre>
    ${
      reply &&
      html`<p class="label">${t('how.answer')}</p>
        <pre class="prompt">${reply.text}</pre>
        <dl class="facts"><${Fact} name="model" value=${reply.model} /></dl>`
    }
  </details>`;
}

function Fact({ name, value }) {
  if (value === null || value === undefined || value === '') return null;
  return html`<div>
    <dt>${t(`how.${name}`)}</dt>
    <dd>${value}</dd>
  </div>`;
}
