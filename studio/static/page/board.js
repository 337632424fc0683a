// The four columns; on a narrow screen one at a time, behind tabs.
import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { t } from '../shared/i18n.js';
import { goTo } from './choices.js';
import { Column } from './column.js';
import { hasEnded, representationOf } from './model.js';
import { REPRESENTATIONS, use } from './state.js';

const WIDE = matchMedia('(min-width: 1080px)');

/** Whether there is room for four columns side by side. */
export function useIsWide() {
  const [isWide, setWide] = useState(WIDE.matches);
  useEffect(() => {
    const look = () => setWide(WIDE.matches);
    WIDE.addEventListener('change', look);
    return () => WIDE.removeEventListener('change', look);
  }, []);
  return isWide;
}

export function Board() {
  const isWide = useIsWide();
  const stage = use((state) => state.stage);
  if (isWide)
    return html`<div class="columns">
      ${REPRESENTATIONS.map((name) => html`<${Column} key=${name} name=${name} isWide=${true} />`)}
    </div>`;
  return html`<${StageTabs} stage=${stage} /><${Column} key=${stage} name=${stage} isWide=${false} />`;
}

function StageTabs({ stage }) {
  const row = useRef(null);
  const working = use((state) =>
    REPRESENTATIONS.map(
      (name) =>
        state.order.filter((id) => !hasEnded(state.jobs[id]) && representationOf(state.jobs[id].operation) === name)
          .length,
    ),
  );
  const onKey = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next =
      REPRESENTATIONS[(REPRESENTATIONS.indexOf(stage) + step + REPRESENTATIONS.length) % REPRESENTATIONS.length];
    goTo(next);
    row.current.querySelector(`#tab-${next}`).focus();
  };
  return html`<div class="stage-tabs" role="tablist" ref=${row} onKeyDown=${onKey}>
    ${REPRESENTATIONS.map(
      (name, i) =>
        html`<button
          key=${name}
          type="button"
          role="tab"
          id=${`tab-${name}`}
          class=${`stage-tab of-${name}`}
          aria-selected=${stage === name}
          aria-controls=${stage === name ? `column-${name}` : undefined}
          tabindex=${stage === name ? 0 : -1}
          onClick=${() => goTo(name)}
        >
          <span class="dot" aria-hidden="true"></span>${t(`rep.${name}`)}
          ${working[i] > 0 && html`<span class="badge badge-accent">${working[i]}<span class="visually-hidden"> ${t('job.working')}</span></span>`}
        </button>`,
    )}
  </div>`;
}
