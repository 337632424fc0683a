// The concept tree: every generation and own thing, with lines from where it came.
import { html, useEffect, useMemo, useRef } from '../vendor/preact.js';
import { pictureUrl } from '../shared/api.js';
import { t } from '../shared/i18n.js';
import { Empty, Icon } from '../shared/ui.js';
import { fetchMany } from './jobs.js';
import { cardOf, hasEnded, layout, lineage, stringsOf } from './model.js';
import { REPRESENTATIONS, store, use } from './state.js';

const NODE = { width: 208, height: 104 };
const GAP = { x: 64, y: 22 };
const THUMBS = 3;
const MORE = 400;
const columns = () => Math.max(Math.floor((innerWidth - 24) / (NODE.width + GAP.x)), 1);
const left = (spot) => spot.depth * (NODE.width + GAP.x);
const top = (spot) => spot.row * (NODE.height + GAP.y);

export function Tree() {
  const [jobs, order, own, next] = use((state) => [state.jobs, state.order, state.own, state.next]);
  const shape = useMemo(
    () =>
      layout(
        lineage(
          order.map((id) => jobs[id]),
          own,
        ),
        columns(),
      ),
    [jobs, order, own],
  );
  useEffect(() => {
    fetchMany().catch(() => {});
  }, []);
  if (!shape.placed.length)
    return html`<div class="tree-page">
      <${Empty} icon="tree" title=${t('tree.empty')}>${t('tree.empty.text')}<//>
    </div>`;
  const size = { width: left({ depth: shape.depth }) + NODE.width, height: top({ row: shape.rows }) };
  return html`<div class="tree-page">
    <header class="tree-head">
      <div>
        <h2>${t('tree.title')}</h2>
        <p class="muted small">${t('tree.hint')}</p>
      </div>
      <ul class="legend">
        ${REPRESENTATIONS.map((name) => html`<li key=${name} class=${`of-${name}`}><span class="dot" aria-hidden="true"></span>${t(`rep.${name}`)}</li>`)}
      </ul>
    </header>
    ${next && html`<${Earlier} count=${order.length} />`}
    <div class="tree-scroll" tabindex="-1">
      <div class="tree-canvas" style=${`width:${size.width}px;height:${size.height}px`}>
        <${Lines} shape=${shape} size=${size} />
        <${Nodes} shape=${shape} />
      </div>
    </div>
  </div>`;
}

/** Older generations than those that are shown. */
function Earlier({ count }) {
  const isLoading = use((state) => state.isLoading);
  if (isLoading) return html`<p class="muted small" role="status">${t('tree.loading')}</p>`;
  const more = () => fetchMany(count + MORE).catch(() => {});
  return html`<p><button type="button" class="button button-small" onClick=${more}>${t('more.button')}</button></p>`;
}

function Lines({ shape, size }) {
  const spots = new Map(shape.placed.map((spot) => [spot.node.id, spot]));
  // A line that only repeats what the way through the parents says already would hide the others.
  const isTold = (spot, from) => {
    let one = spot.parent?.parent;
    while (one && one !== from) one = one.parent;
    return Boolean(one);
  };
  const lines = shape.placed.flatMap((spot) =>
    spot.node.parents
      .map((id) => spots.get(id))
      .filter((from) => from && !isTold(spot, from))
      .map((from) => {
        const [x1, y1, x2, y2] = [
          left(from) + NODE.width,
          top(from) + NODE.height / 2,
          left(spot),
          top(spot) + NODE.height / 2,
        ];
        const bend = Math.max((x2 - x1) / 2, 28);
        const kind = from !== spot.parent ? 'line-second' : spot.node.isRepeat ? 'line-repeat' : '';
        return html`<path
          key=${`${from.node.id}-${spot.node.id}`}
          class=${`line of-${from.node.representation} ${kind}`}
          d=${`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}
        />`;
      }),
  );
  return html`<svg class="lines" width=${size.width} height=${size.height} aria-hidden="true">${lines}</svg>`;
}

/** The nodes as a list of buttons; arrow keys go to parent, child and neighbours. */
function Nodes({ shape }) {
  const list = useRef(null);
  const goTo = (spot) => spot && list.current.querySelector(`[data-node="${CSS.escape(spot.node.id)}"]`)?.focus();
  const onKey = (event, spot) => {
    const children = shape.placed.filter((one) => one.parent === spot);
    const level = shape.placed.filter((one) => one.depth === spot.depth).sort((a, b) => a.row - b.row);
    const at = level.indexOf(spot);
    const target = {
      ArrowLeft: spot.parent,
      ArrowRight: children[0],
      ArrowUp: level[at - 1],
      ArrowDown: level[at + 1],
    }[event.key];
    if (!target) return;
    event.preventDefault();
    goTo(target);
  };
  return html`<ul class="nodes" ref=${list}>
    ${shape.placed.map((spot) => html`<li key=${spot.node.id} style=${`transform:translate(${left(spot)}px,${top(spot)}px)`}><${Node} spot=${spot} onKey=${onKey} /></li>`)}
  </ul>`;
}

function Node({ spot, onKey }) {
  const { node } = spot;
  const { job, own } = node;
  const pictures = (job ? job.outputs.filter((one) => one.kind === 'image') : [own].filter((one) => one.url)).map(
    (one) => one.url,
  );
  const texts = job ? job.outputs.filter((one) => one.kind === 'text') : own.text ? [own] : [];
  const title = own ? t(`own.${own.origin}`) : t(`op.${job.operation}`);
  const counts =
    [
      texts.length && t('tree.texts', { n: texts.length }),
      pictures.length && t('tree.pictures', { n: pictures.length }),
    ]
      .filter(Boolean)
      .join(', ') || t('tree.nothing');
  const parent = spot.parent?.node;
  const from = parent
    ? `, ${t('tree.from', { what: parent.own ? t(`own.${parent.own.origin}`) : t(`op.${parent.job.operation}`) })}`
    : '';
  const open = () =>
    store.set({ detail: own ? { ownId: node.id } : { jobId: node.id, index: job.outputs[0]?.index ?? 0 } });
  return html`<button
    type="button"
    class=${`node of-${node.representation}`}
    data-node=${node.id}
    data-state=${job?.state}
    aria-label=${`${t(`rep.${node.representation}`)}: ${t('tree.node', { what: title, count: counts })}${from}`}
    onClick=${open}
    onKeyDown=${(event) => onKey(event, spot)}
  >
    <span class="node-title"
      ><span class="dot" aria-hidden="true"></span
      ><span>${title}</span
      >${job && !hasEnded(job) && html`<span class="pulse"></span>`}${job?.state === 'failed' && html`<${Icon} name="warning" size=${16} />`}</span
    >
    ${
      pictures.length
        ? html`<span class="node-thumbs"
            >${pictures.slice(0, THUMBS).map((address) => html`<img key=${address} src=${pictureUrl(address, 128)} alt="" width="44" height="44" loading="lazy" />`)}${pictures.length > THUMBS && html`<span class="node-more">+${pictures.length - THUMBS}</span>`}</span
          >`
        : html`<span class="node-text">${texts.length ? snippet(texts[0].text) : counts}</span>`
    }
  </button>`;
}

const snippet = (text) => stringsOf(cardOf(text)).join(' · ').slice(0, 90);
