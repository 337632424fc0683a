// One representation: what the assistant can do there, what one can do oneself, and what there is.
import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { t } from '../shared/i18n.js';
import { Empty, Icon, classes } from '../shared/ui.js';
import { goTo } from './choices.js';
import { Generation } from './generation.js';
import { fetchMore, run } from './jobs.js';
import { hindrance, representationOf } from './model.js';
import { OwnThing } from './own_thing.js';
import { mayRun, store, use } from './state.js';
import { pickFile } from './dropping.js';

const NEAR_PX = 400;
const ICONS = { create_new: 'sparkle', reference: 'image', extend: 'add', transform: 'again', multi_view: 'expand' };

export function Column({ name, isWide }) {
  const own = use((state) => state.operations.filter((one) => one.representation === name && mayRun(state, one.name)));
  const role = isWide ? {} : { role: 'tabpanel', 'aria-labelledby': `tab-${name}` };
  // Where somebody works is noted also when all columns are in sight.
  const enter = () => {
    if (isWide) goTo(name);
  };
  return html`<section
    id=${`column-${name}`}
    class=${`column of-${name}`}
    aria-labelledby=${`head-${name}`}
    onPointerDown=${enter}
    onFocusIn=${enter}
    ...${role}
  >
    <h2 id=${`head-${name}`} class=${isWide ? 'column-head' : 'visually-hidden'}>
      <span class="dot" aria-hidden="true"></span>${t(`rep.${name}`)}
    </h2>
    <div class="column-scroll">
      <div class="column-tools">
        ${
          own.length > 0 &&
          html`<ul class="operations" aria-label=${t('column.assistant')}>
            ${own.map((operation) => html`<${Operation} key=${operation.name} operation=${operation} />`)}
          </ul>`
        }
        <${ByHand} name=${name} isAlone=${!own.length} />
      </div>
      <${Things} name=${name} isByHand=${!own.length} />
    </div>
  </section>`;
}

function Operation({ operation }) {
  const why = use(
    (state) => hindrance(operation, state),
    (a, b) => JSON.stringify(a) === JSON.stringify(b),
  );
  const [isBusy, setBusy] = useState(false);
  const reason = why && t(...why);
  const id = `why-${operation.name.replace('.', '-')}`;
  const press = async () => {
    if (isBusy) return;
    if (why) {
      if (why[0] === 'why.task') document.getElementById('task')?.focus();
      return;
    }
    setBusy(true);
    await run(operation);
    setBusy(false);
  };
  return html`<li>
    <button
      type="button"
      class="operation"
      data-operation=${operation.name}
      aria-disabled=${Boolean(why)}
      aria-labelledby=${`name-${id}`}
      aria-describedby=${why ? id : undefined}
      title=${reason || undefined}
      onClick=${press}
    >
      <span class="operation-mark"
        ><${Icon} name=${ICONS[operation.name.split('.')[1]] || 'sparkle'} size=${18}
      /></span>
      <span class="operation-words"
        ><span id=${`name-${id}`}>${t(`op.${operation.name}`)}</span
        >${why && html`<span class="operation-why" id=${id}>${reason}</span>`}</span
      >
    </button>
  </li>`;
}

function ByHand({ name, isAlone }) {
  const write = () => store.set({ writing: true });
  const canDraw = name === 'sketch' || (isAlone && name !== 'brief');
  const draw = () => store.set({ drawing: { representation: name, background: null } });
  return html`<div class=${classes('by-hand', isAlone && 'by-hand-alone')} role="group" aria-label=${t('column.own')}>
    ${name === 'brief' && html`<${HandButton} icon="note" word="write" press=${write} />`}
    ${canDraw && html`<${HandButton} icon="pen" word="draw" press=${draw} />`}
    ${name !== 'brief' && html`<${HandButton} icon="upload" word="upload" press=${() => pickFile(name)} />`}
  </div>`;
}

function HandButton({ icon, word, press }) {
  return html`<button type="button" class="button button-small" onClick=${press}>
    <${Icon} name=${icon} size=${18} />${t(`column.${word}`)}
  </button>`;
}

function Things({ name, isByHand }) {
  const ids = use((state) => things(state, name));
  const next = use((state) => state.next);
  if (!ids.length && !next)
    return html`<${Empty}
      icon=${name === 'brief' ? 'note' : name === 'sketch' ? 'pen' : 'image'}
      title=${t(`empty.${name}`)}
      >${t(`empty.${name}.${isByHand ? 'hand' : 'text'}`)}<//
    >`;
  return html`<div class="things">
    ${ids.map((key) => (key.startsWith('own:') ? html`<${OwnThing} key=${key} id=${key.slice(4)} />` : html`<${Generation} key=${key} id=${key} />`))}
    ${next && html`<${Earlier} />`}
  </div>`;
}

/** What stands in a column, newest first: ids of generations, and of own things with `own:` before them. */
function things({ order, jobs, own, next }, name) {
  const oldest = next && order.length ? jobs[order[order.length - 1]].created_at : '';
  const all = [
    ...order.filter((id) => representationOf(jobs[id].operation) === name).map((id) => [jobs[id].created_at, id]),
    ...own.filter((one) => one.representation === name && one.at >= oldest).map((one) => [one.at, `own:${one.id}`]),
  ];
  return all.sort((a, b) => (a[0] < b[0] ? 1 : -1)).map(([, key]) => key);
}

/** The end of what was fetched: scrolling to it fetches more, and so does a click. */
function Earlier() {
  const mark = useRef(null);
  const isLoading = use((state) => state.isLoading);
  const fetchNow = () => fetchMore().catch(() => {});
  useEffect(() => {
    // Merely being in sight is not enough: a column of few things would fetch everything for nobody.
    const box = mark.current.closest('.column-scroll');
    const look = () => {
      if (mark.current.getBoundingClientRect().top < box.getBoundingClientRect().bottom + NEAR_PX) fetchNow();
    };
    box.addEventListener('scroll', look, { passive: true });
    return () => box.removeEventListener('scroll', look);
  }, []);
  return html`<button
    type="button"
    ref=${mark}
    class="button button-quiet earlier"
    aria-busy=${isLoading}
    onClick=${fetchNow}
  >
    ${t(isLoading ? 'more.loading' : 'more.button')}
  </button>`;
}
