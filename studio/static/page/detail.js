// Look closer: one result large, what can be done with it, where it came from and what it led to.
import { html, useEffect, useMemo, useState } from '../vendor/preact.js';
import { pictureHash, pictureUrl } from '../shared/api.js';
import { moment, t } from '../shared/i18n.js';
import { useWindowEvent } from '../shared/state.js';
import { Dialog, Icon, IconButton } from '../shared/ui.js';
import { isPicture, togglePicture } from './choices.js';
import { tell } from './events.js';
import { How } from './how.js';
import { again } from './jobs.js';
import { lineage, representationOf } from './model.js';
import { mayRun, store, use } from './state.js';
import { TextCard } from './text_card.js';

const close = () => store.set({ detail: null });
const show = (node, index) =>
  store.set({
    detail: node.own ? { ownId: node.id } : { jobId: node.id, index: index ?? node.job.outputs[0]?.index ?? 0 },
  });

export function Detail({ jobId, ownId, index, showsHow }) {
  const job = use((state) => (jobId ? state.jobs[jobId] : null));
  const own = use((state) => (ownId ? state.own.find((one) => one.id === ownId) : null));
  const output = job?.outputs.find((one) => one.index === index) || job?.outputs[0];
  const address = own ? own.url : output?.kind === 'image' ? output.url : null;
  const representation = own ? own.representation : representationOf(job.operation);
  const title = own ? t(`own.${own.origin}`) : t(`op.${job.operation}`);
  useEffect(() => {
    tell('output.open', {
      object: representation,
      generation_id: jobId,
      outputs: address ? [pictureHash(address)] : [],
    });
  }, [jobId, ownId, index]);
  return html`<${Dialog} title=${title} onClose=${close} class="dialog-wide detail">
    <div class="detail-grid">
      <div class="detail-stage">
        ${
          address
            ? html`<img
                class="detail-picture"
                src=${pictureUrl(address)}
                alt=${`${title}, ${t(`rep.${representation}`)}`}
              />`
            : own?.text
              ? html`<p class="detail-note">${own.text}</p>`
              : output
                ? html`<${TextCard}
                    text=${output.text}
                    title=${t('job.card', { n: output.index + 1 })}
                    key=${output.index}
                  />`
                : null
        }
        ${job && job.outputs.length > 1 && html`<${Strip} job=${job} index=${output.index} />`}
      </div>
      <div class="detail-side">
        <p class="detail-meta">
          <span class=${`badge of-${representation}`}
            ><span class="dot" aria-hidden="true"></span>${t(`rep.${representation}`)}</span
          ><time>${moment(job?.created_at || own.at)}</time>
        </p>
        <${Actions} job=${job} own=${own} address=${address} representation=${representation} />
        <${Family} id=${jobId || ownId} job=${job} />
        ${job && html`<${How} job=${job} hash=${pictureHash(address)} isOpen=${showsHow} key=${job.id} />`}
      </div>
    </div>
  <//>`;
}

/** All results of one generation, to go from one to the next; arrow keys too. */
function Strip({ job, index }) {
  const at = job.outputs.findIndex((one) => one.index === index);
  const go = (step) =>
    store.set({
      detail: { jobId: job.id, index: job.outputs[(at + step + job.outputs.length) % job.outputs.length].index },
    });
  useWindowEvent('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step && !event.target.closest('input, textarea')) go(step);
  });
  return html`<div class="strip">
    <${IconButton} icon="arrow_left" label=${t('detail.previous')} onClick=${() => go(-1)} />
    <ul>
      ${job.outputs.map(
        (one, i) =>
          html`<li key=${one.index}>
            <button
              type="button"
              aria-label=${one.kind === 'image' ? t('job.picture', { n: i + 1, total: job.outputs.length }) : t('job.card', { n: i + 1 })}
              aria-current=${one.index === index ? 'true' : undefined}
              onClick=${() => store.set({ detail: { jobId: job.id, index: one.index } })}
            >
              ${one.kind === 'image' ? html`<img src=${pictureUrl(one.url, 128)} alt="" width="52" height="52" />` : html`<${Icon} name="note" />`}
            </button>
          </li>`,
      )}
    </ul>
    <${IconButton} icon="arrow_right" label=${t('detail.next')} onClick=${() => go(1)} />
  </div>`;
}

function Actions({ job, own, address, representation }) {
  const [isChosen, may] = use((state) => [isPicture(state.picture, address), job && mayRun(state, job.operation)]);
  const isDone = job?.state === 'succeeded';
  const repeat = (more) => {
    again(job, more);
    close();
  };
  const drawOn = () => store.set({ detail: null, drawing: { representation, background: address } });
  const download = () =>
    tell('output.download', { object: representation, generation_id: job?.id, outputs: [pictureHash(address)] });
  return html`<div class="detail-actions">
    ${address && html`<button type="button" class="button button-primary" aria-pressed=${isChosen} onClick=${() => togglePicture(address, representation)}><${Icon} name=${isChosen ? 'check' : 'input'} />${t(isChosen ? 'act.chosen' : 'act.choose')}</button>`}
    ${
      isDone &&
      may &&
      html`<button
          type="button"
          class="button"
          title=${t('act.variation.hint')}
          onClick=${() => repeat({ isVariation: true })}
        >
          <${Icon} name="dice" />${t('act.variation')}
        </button>
        <button type="button" class="button" title=${t('act.again.hint')} onClick=${() => repeat({})}>
          <${Icon} name="again" />${t('act.again')}
        </button>`
    }
    ${
      address &&
      html`<button type="button" class="button" onClick=${drawOn}><${Icon} name="pen" />${t('act.draw')}</button>
        <a
          class="button"
          href=${pictureUrl(address)}
          download=${`${job ? job.operation.replace('.', '-') : own.origin}-${pictureHash(address).slice(0, 8)}.png`}
          onClick=${download}
          ><${Icon} name="download" />${t('act.download')}</a
        >`
    }
  </div>`;
}

/** Where it came from and what came of it, each to click through. */
function Family({ id, job }) {
  const [jobs, order, own] = use((state) => [state.jobs, state.order, state.own]);
  const nodes = useMemo(
    () =>
      lineage(
        order.map((one) => jobs[one]),
        own,
      ),
    [jobs, order, own],
  );
  const self = nodes.find((node) => node.id === id);
  const parents = nodes.filter((node) => self?.parents.includes(node.id));
  const children = nodes.filter((node) => node.parents.includes(id));
  const known = new Set(
    parents.flatMap((node) =>
      node.job ? node.job.outputs.map((one) => pictureHash(one.url)) : [pictureHash(node.own.url)],
    ),
  );
  const strangers = (job?.inputs.images || []).filter((address) => !known.has(pictureHash(address)));
  const texts = job?.inputs.texts || [];
  return html`<section class="family">
    <h3>${t('detail.from')}</h3>
    ${job && html`<p class="small family-task"><span class="muted">${t('detail.task')}</span> ${job.inputs.task}</p>`}
    ${
      parents.length > 0 &&
      html`<ul class="relatives">
        ${parents.map((node) => html`<${Relative} key=${node.id} node=${node} used=${job?.inputs.images || self.own?.parents || []} />`)}
      </ul>`
    }
    ${strangers.map((address) => html`<img key=${address} class="stranger" src=${pictureUrl(address, 128)} alt="" width="64" height="64" />`)}
    ${
      texts.length > 0 &&
      html`<ul class="used-texts">
        ${texts.map((text) => html`<li key=${text}>${text}</li>`)}
      </ul>`
    }
    ${job && !parents.length && !strangers.length && !texts.length && html`<p class="small muted">${t('detail.nothing')}</p>`}
    ${
      children.length > 0 &&
      html`<h3>${t('detail.led')}</h3>
        <ul class="relatives">
          ${children.map((node) => html`<${Relative} key=${node.id} node=${node} />`)}
        </ul>`
    }
  </section>`;
}

function Relative({ node, used = [] }) {
  const hashes = new Set(used.map(pictureHash));
  const pictures = node.own
    ? [node.own].filter((one) => one.url)
    : node.job.outputs.filter((one) => one.kind === 'image');
  const picture = pictures.find((one) => hashes.has(pictureHash(one.url))) || pictures[0];
  const words = node.own ? t(`own.${node.own.origin}`) : t(`op.${node.job.operation}`);
  return html`<li>
    <button type="button" class=${`relative of-${node.representation}`} onClick=${() => show(node, picture?.index)}>
      ${picture ? html`<img src=${pictureUrl(picture.url, 128)} alt="" width="44" height="44" />` : html`<span class="relative-mark"><${Icon} name="note" /></span>`}
      <span
        ><span>${words}</span
        ><span class="muted small"
          ><span class="dot" aria-hidden="true"></span>${t(`rep.${node.representation}`)}</span
        ></span
      >
    </button>
  </li>`;
}
