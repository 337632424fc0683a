// One generation on the board: while it is made, and what came of it.
import { html } from '../vendor/preact.js';
import { moment, t } from '../shared/i18n.js';
import { Icon, IconButton, classes } from '../shared/ui.js';
import { failureSentence } from './failures.js';
import { again, cancel } from './jobs.js';
import { expected, hasEnded, places, representationOf } from './model.js';
import { PendingCards, PendingPicture, Status } from './pending.js';
import { Picture } from './picture.js';
import { mayRun, store, use } from './state.js';
import { TextCard } from './text_card.js';

export function Generation({ id }) {
  const job = use((state) => state.jobs[id]);
  const operations = use((state) => state.operations);
  const what = t(`op.${job.operation}`);
  const isOver = hasEnded(job);
  const shown = places(job, operations);
  const cards = job.outputs.filter((one) => one.kind === 'text');
  const representation = representationOf(job.operation);
  return html`<article
    class=${classes('generation', `is-${job.state}`)}
    data-generation=${id}
    data-state=${job.state}
    aria-labelledby=${`title-${id}`}
    aria-busy=${!isOver}
  >
    <header class="generation-head">
      <div class="generation-title">
        <h3 id=${`title-${id}`}>${what}</h3>
        <time datetime=${job.created_at} title=${moment(job.created_at)}
          >${moment(job.created_at, { timeStyle: 'short' })}</time
        >
      </div>
      ${isOver ? html`<${Actions} job=${job} />` : html`<button type="button" class="button button-quiet button-small" onClick=${() => cancel(job)}>${t('job.cancel')}</button>`}
    </header>
    ${!isOver && html`<${Status} job=${job} />`}
    ${cards.map((output, i) => html`<${TextCard} key=${output.index} text=${output.text} title=${t('job.card', { n: i + 1 })} isOpenAtFirst=${i === 0} />`)}
    ${!isOver && html`<${PendingCards} job=${job} count=${expected(job, operations).cards - cards.length} />`}
    ${
      shown.length > 0 &&
      html`<div class=${classes('tiles', shown.length === 1 && 'tiles-one')}>
        ${shown.map((place, i) =>
          place.url
            ? html`<${Picture}
                isLarge=${shown.length === 1}
                key=${place.index}
                address=${place.url}
                representation=${representation}
                name=${t('picture.of', { what, n: i + 1 })}
                open=${() => store.set({ detail: { jobId: id, index: place.index } })}
              />`
            : html`<${PendingPicture} key=${place.index} job=${job} place=${place} n=${i + 1} total=${shown.length} />`,
        )}
      </div>`
    }
    ${job.state === 'failed' && html`<${Failed} job=${job} />`}
    ${
      job.state === 'canceled' &&
      html`<div class="generation-end">
        <span>${t('job.canceled')}</span
        ><button type="button" class="button button-small" onClick=${() => again(job, { isRetry: true })}>
          <${Icon} name="again" size=${16} />${t('job.retry')}
        </button>
      </div>`
    }
  </article>`;
}

function Actions({ job }) {
  const may = use((state) => mayRun(state, job.operation));
  if (job.state !== 'succeeded') return null;
  return html`<span class="generation-actions">
    ${
      may &&
      html`<${IconButton}
          icon="again"
          size=${18}
          label=${`${t('act.again')}: ${t('act.again.hint')}`}
          onClick=${() => again(job)}
        />
        <${IconButton}
          icon="dice"
          size=${18}
          label=${`${t('act.variation')}: ${t('act.variation.hint')}`}
          onClick=${() => again(job, { isVariation: true })}
        />`
    }
    <${IconButton}
      icon="info"
      size=${18}
      label=${t('act.how')}
      onClick=${() => store.set({ detail: { jobId: job.id, index: job.outputs[0]?.index ?? 0, showsHow: true } })}
    />
  </span>`;
}

function Failed({ job }) {
  return html`<div class="generation-failed">
    <${Icon} name="warning" />
    <div>
      <p>${failureSentence(job.error)}</p>
      <div class="row">
        <button type="button" class="button button-small" onClick=${() => again(job, { isRetry: true })}>
          <${Icon} name="again" size=${16} />${t('job.retry')}
        </button>
      </div>
      ${
        job.error?.message &&
        html`<details>
          <summary>${t('job.details')}</summary>
          <p class="small" lang="en">${job.error.message}</p>
        </details>`
      }
    </div>
  </div>`;
}
