// A replay: then and now beside each other, with a verdict and why.
import { html, useEffect, useState } from '../vendor/preact.js';
import { get, pictureUrl } from '../shared/api.js';
import { moment, sentence, t } from '../shared/i18n.js';
import { Empty, Progress } from '../shared/ui.js';

const KINDS = { equal: 'badge-success', similar: 'badge-accent', differs: 'badge-warning', failed: 'badge-danger', failed_again: 'badge-danger', recovered: 'badge-success' };

export function Replay({ id }) {
  const [replay, setReplay] = useState(null);
  const [items, setItems] = useState([]);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    let isGone = false;
    const look = async () => {
      let [after, all, data] = [0, [], null];
      do {
        data = await get(`/api/replays/${id}`, { after, limit: 100 });
        all = [...all, ...data.items];
        after = data.next;
      } while (after);
      setReplay(data.replay);
      setItems(all);
      if (!isGone && ['waiting', 'running'].includes(data.replay.state)) setTimeout(() => look().catch(setProblem), 1000);
    };
    look().catch(setProblem);
    return () => (isGone = true);
  }, []);
  if (problem) return html`<${Empty} icon="warning" title=${problem.message || sentence(problem)} />`;
  if (!replay) return html`<div class="skeleton" style="height:200px"></div>`;
  return html`<header class="head"><div>
      <a href=${`#/session/${replay.session_id}`}>← ${t('research.back')}</a>
      <h1>${t('research.replay')}</h1>
      <p class="row">${Object.entries(replay.counts).filter(([, count]) => count).map(([name, count]) => html`<span class=${`badge ${KINDS[name] || ''}`}>${t(`research.verdict.${name}`)} ${count}</span>`)}</p>
    </div></header>
    ${['waiting', 'running'].includes(replay.state) && html`<${Progress} value=${replay.progress} label=${t('research.replay')} />`}
    <ol class="replayed">${items.map((one) => html`<li key=${one.number} class="card card-pad">
      <div class="row"><b>${one.operation}</b><span class="field-hint">${moment(one.old.created_at)}</span><span class="push"></span>
        ${one.verdict && html`<span class=${`badge ${KINDS[one.verdict] || ''}`}>${t(`research.verdict.${one.verdict}`)}${one.score !== null && one.verdict !== 'equal' ? ` ${one.score.toFixed(2)}` : ''}</span>`}</div>
      ${one.outputs.map((output) => html`<div class="pair"><${Side} title=${t('research.old')} thing=${output.old} /><${Side} title=${t('research.new')} thing=${output.new} /></div>`)}
      ${one.why.length > 0 && html`<ul class="why">${one.why.map((reason) => html`<li>${reason.text}</li>`)}</ul>`}
    </li>`)}</ol>`;
}

function Side({ title, thing }) {
  return html`<div><span class="field-hint">${title}</span>${thing?.thumbnail && html`<img loading="lazy" alt=${title} src=${pictureUrl(thing.url, 256)} />`}${thing?.text && html`<p class="said">${thing.text.slice(0, 400)}</p>`}${!thing && html`<p>—</p>`}</div>`;
}
