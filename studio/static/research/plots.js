// A study in pictures, by condition.
import { html, useEffect, useState } from '../vendor/preact.js';
import { get } from '../shared/api.js';
import { moment, t } from '../shared/i18n.js';
import { Empty } from '../shared/ui.js';
import { Figure } from './figure.js';
import { failed } from './studies.js';

const LOOK_MS = 4_000;
const style = { background: 'transparent', fontSize: '12px', overflow: 'visible' };

export function Overview({ id }) {
  const [overview, setOverview] = useState(null);
  useEffect(() => {
    const look = () => get(`/api/studies/${id}/overview`).then(setOverview, failed);
    look();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  if (!overview) return html`<div class="skeleton" style="height:240px"></div>`;
  const conditions = overview.conditions;
  if (!conditions.some((one) => one.sessions)) return html`<${Empty} icon="info" title=${t('research.noOverview')} />`;
  return html`<p class="field-hint">${t('research.asOf', { time: moment(overview.as_of) })}</p>
    <div class="figures">
      <${Counts} conditions=${conditions} /><${Operations} conditions=${conditions} /><${Waits} conditions=${conditions} /><${Stages} conditions=${conditions} /><${Failures} conditions=${conditions} />
    </div>`;
}

function bars(rows, label, marginLeft = 90) {
  const { Plot } = window;
  return Plot.plot({
    style, marginLeft, marginRight: 150, width: 560, height: Math.max(120, 30 * rows.length + 60),
    color: { legend: false, scheme: 'tableau10' },
    x: { label, grid: true, nice: true, ticks: 5, tickFormat: (value) => (Number.isInteger(value) ? String(value) : '') }, y: { label: null }, fy: { label: null },
    marks: [Plot.barX(rows, { x: 'value', y: 'name', fy: 'group', fill: 'name' }), Plot.text(rows, { x: 'value', y: 'name', fy: 'group', text: (row) => String(row.value), dx: 4, textAnchor: 'start' }), Plot.ruleX([0])],
  });
}

function Counts({ conditions }) {
  const kinds = ['sessions', 'completed', 'withdrawn', 'outputs'];
  const names = { sessions: t('research.sessions'), completed: t('research.state.completed'), withdrawn: t('research.state.withdrawn'), outputs: t('research.made') };
  const rows = kinds.flatMap((kind) => conditions.map((one) => ({ group: names[kind], name: one.name, value: kind === 'outputs' ? one.generations : one[kind] })));
  return html`<${Figure} title=${t('research.plot.counts')} name="counts" draw=${() => bars(rows, null)} heads=${['', t('research.condition'), 'n']} rows=${rows.map((row) => [row.group, row.name, row.value])} />`;
}

function Operations({ conditions }) {
  const rows = conditions.flatMap((one) => Object.entries(one.operations).map(([name, value]) => ({ group: name, name: one.name, value })));
  if (!rows.length) return null;
  return html`<${Figure} title=${t('research.plot.operations')} name="operations" draw=${() => bars(rows, 'n')} heads=${[t('research.plot.operations'), t('research.condition'), 'n']} rows=${rows.map((row) => [row.group, row.name, row.value])} />`;
}

function Waits({ conditions }) {
  const kinds = [['waiting_s', t('research.real')], ['shown_s', t('research.shown')]];
  const rows = conditions.flatMap((one) => kinds.filter(([kind]) => one[kind].n).map(([kind, name]) => ({ group: one.name, name, ...one[kind] })));
  if (!rows.length) return null;
  const draw = () => {
    const { Plot } = window;
    const place = { y: 'name', fy: 'group' };
    return Plot.plot({
      style, marginLeft: 90, marginRight: 110, width: 560, height: 40 * rows.length + 70, x: { label: 's', grid: true, nice: true, zero: true }, y: { label: null }, fy: { label: null },
      marks: [
        Plot.ruleY(rows, { x1: 'p50', x2: 'p95', ...place }), Plot.barX(rows, { x1: 'p25', x2: 'p75', fill: 'name', fillOpacity: 0.6, insetTop: 4, insetBottom: 4, ...place }),
        Plot.tickX(rows, { x: 'p50', strokeWidth: 3, ...place }), Plot.dot(rows, { x: 'p95', fill: 'currentColor', ...place }),
      ],
    });
  };
  const heads = ['', '', 'n', 'p25', 'p50', 'p75', 'p90', 'p95'];
  return html`<${Figure} title=${t('research.plot.waits')} name="waiting-times" draw=${draw} heads=${heads} rows=${rows.map((row) => [row.group, row.name, row.n, row.p25, row.p50, row.p75, row.p90, row.p95])} />`;
}

function Stages({ conditions }) {
  const rows = conditions.flatMap((one) => Object.entries(one.stage_s).filter(([, spread]) => spread.n).map(([group, spread]) => ({ group, name: one.name, value: Math.round(spread.p50), n: spread.n })));
  if (!rows.length) return null;
  return html`<${Figure} title=${t('research.plot.stages')} name="stages" draw=${() => bars(rows, 's')} heads=${[t('research.stage'), t('research.condition'), 's', 'n']} rows=${rows.map((row) => [row.group, row.name, row.value, row.n])} />`;
}

function Failures({ conditions }) {
  const rows = conditions.flatMap((one) => Object.entries(one.failures).map(([group, value]) => ({ group, name: one.name, value })));
  if (!rows.length) return null;
  return html`<${Figure} title=${t('research.plot.failures')} name="failures" draw=${() => bars(rows, 'n')} heads=${[t('research.failed'), t('research.condition'), 'n']} rows=${rows.map((row) => [row.group, row.name, row.value])} />`;
}
