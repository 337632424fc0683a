// One session: when what was done, what came from what, everything that happened.
import { html, useEffect, useState } from '../vendor/preact.js';
import { get, pictureUrl, post } from '../shared/api.js';
import { duration, moment, sentence, t } from '../shared/i18n.js';
import { Dialog, Empty, toast } from '../shared/ui.js';
import { Figure } from './figure.js';
import { How } from './how.js';
import { State, failed } from './studies.js';

export function SessionView({ id }) {
  const [session, setSession] = useState(null);
  const [problem, setProblem] = useState(null);
  const [dialog, setDialog] = useState('');
  useEffect(() => {
    get(`/api/research/sessions/${id}`).then(setSession, setProblem);
  }, []);
  if (problem) return html`<${Empty} icon="warning" title=${problem.message || sentence(problem)} />`;
  if (!session) return html`<div class="skeleton" style="height:200px"></div>`;
  const close = () => setDialog('');
  return html`<header class="head">
      <div>
        <a href=${`#/study/${session.study_id}`}>← ${t('research.back')}</a>
        <h1>${t('research.session', { number: session.number || '' })}</h1>
        <p class="row"><${State} state=${session.state} /><span class="field-hint">${session.condition_id} · ${t('research.participant')} ${session.participant} · ${moment(session.started_at)}</span></p>
      </div>
      <div class="row">
        <button type="button" class="button" onClick=${() => setDialog('replay')}>${t('research.replay')}</button>
        <button type="button" class="button button-danger" onClick=${() => setDialog('erase')}>${t('research.erase')}</button>
      </div>
    </header>
    <${Timeline} id=${id} /><${Tree} id=${id} /><${Replays} id=${id} /><${Chronicle} id=${id} />
    ${dialog === 'erase' && html`<${Erase} participant=${session.participant} study=${session.study_id} close=${close} />`}
    ${dialog === 'replay' && html`<${StartReplay} id=${id} close=${close} />`}`;
}

function Timeline({ id }) {
  const [line, setLine] = useState(null);
  useEffect(() => {
    get(`/api/research/sessions/${id}/timeline`).then(setLine, failed);
  }, []);
  if (!line || !(line.stages.length || line.waits.length)) return null;
  const until = (one) => new Date(one.to || one.shown_at || Date.now());
  const spans = [
    ...line.stages.map((one) => ({ lane: one.stage, from: new Date(one.from), to: until(one), kind: t('research.stage') })),
    ...line.waits.map((one) => ({ lane: t('research.waited'), from: new Date(one.from), to: new Date(one.shown_at || one.to || Date.now()), kind: one.state })),
  ];
  const draw = () => {
    const { Plot } = window;
    return Plot.plot({
      style: { background: 'transparent', fontSize: '12px' }, width: 1080, marginLeft: 150, height: 36 * new Set(spans.map((one) => one.lane)).size + 60,
      x: { type: 'time', grid: true, label: null }, y: { label: null }, color: { legend: false },
      marks: [Plot.barX(spans, { x1: 'from', x2: 'to', y: 'lane', fill: 'kind', insetTop: 4, insetBottom: 4, rx: 3, title: (one) => `${one.lane} · ${duration((one.to - one.from) / 1000)}` })],
    });
  };
  const rows = spans.map((one) => [one.lane, moment(one.from), moment(one.to), duration((one.to - one.from) / 1000)]);
  return html`<section><${Figure} title=${t('research.timeline')} name="timeline" draw=${draw} heads=${['', t('research.started'), t('research.last'), t('research.time')]} rows=${rows} /></section>`;
}

function Tree({ id }) {
  const [nodes, setNodes] = useState([]);
  const [next, setNext] = useState(null);
  const [shown, setShown] = useState('');
  const page = (before) => get(`/api/research/sessions/${id}/tree`, { before, limit: 60 }).then((data) => {
    setNodes((all) => [...all, ...data.nodes]);
    setNext(data.next);
  }, failed);
  useEffect(() => {
    page();
  }, []);
  if (!nodes.length) return null;
  const name = Object.fromEntries(nodes.map((one) => [one.id, `${one.operation} ${moment(one.created_at)}`]));
  return html`<section><h2>${t('research.tree')}</h2>
    <ol class="tree">${nodes.map((one) => html`<li key=${one.id} class="card card-pad node">
      <div class="row"><b>${one.operation}</b><span class="field-hint">${moment(one.created_at)} · ${duration(one.shown_s)}</span></div>
      <div class="thumbs">${one.thumbs.map((sha) => html`<img loading="lazy" width="96" height="96" alt=${one.operation} src=${`${pictureUrl(`/images/${sha}.png`, 128)}`} />`)}</div>
      ${one.texts.map((text) => html`<p class="field-hint">${text}</p>`)}
      ${one.parents.length > 0 && html`<p class="field-hint">← ${one.parents.map((parent) => name[parent] || parent.slice(-6)).join(', ')}</p>`}
      <button type="button" class="button button-small" onClick=${() => setShown(one.id)}>${t('research.how')}</button>
    </li>`)}</ol>
    ${next && html`<button type="button" class="button" onClick=${() => page(next)}>${t('research.more')}</button>`}
    ${shown && html`<${How} id=${shown} close=${() => setShown('')} />`}
  </section>`;
}

function Chronicle({ id }) {
  const [entries, setEntries] = useState([]);
  const [sought, setSought] = useState('');
  const page = (before) => get(`/api/research/sessions/${id}/chronicle`, { before, limit: 200 }).then((data) => setEntries((all) => [...data.entries, ...all]), failed);
  useEffect(() => {
    page();
  }, []);
  const seen = entries.filter((one) => !sought || `${one.verb} ${one.object} ${one.actor}`.includes(sought));
  return html`<section><h2>${t('research.chronicle')}</h2>
    <div class="field filter"><label for="filter">${t('research.filter')}</label><input class="input" id="filter" value=${sought} onInput=${(event) => setSought(event.target.value)} /></div>
    ${entries[0]?.seq > 1 && html`<button type="button" class="button button-small" onClick=${() => page(entries[0].seq)}>${t('research.more')}</button>`}
    <div class="scroll tall" tabindex="0" role="region" aria-label=${t('research.chronicle')}><table class="table">
      <thead><tr><th scope="col">${t('research.number')}</th><th scope="col">${t('research.time')}</th><th scope="col">${t('research.actor')}</th><th scope="col">${t('research.verb')}</th><th scope="col">${t('research.about')}</th></tr></thead>
      <tbody>${seen.map((one) => html`<tr key=${one.seq}><td>${one.seq}</td><td>${new Date(one.at).toLocaleTimeString()}</td><td>${one.actor}</td><td>${one.verb}</td><td class="about">${one.object}</td></tr>`)}</tbody>
    </table></div></section>`;
}

function Replays({ id }) {
  const [replays, setReplays] = useState([]);
  useEffect(() => {
    get(`/api/research/sessions/${id}/replays`).then((data) => setReplays(data.replays), failed);
  }, []);
  if (!replays.length) return null;
  return html`<section><h2>${t('research.replays')}</h2><ul>${replays.map((one) => html`<li><a href=${`#/replay/${one.id}`}>${moment(one.created_at)} · ${one.done} / ${one.total}</a></li>`)}</ul></section>`;
}

function StartReplay({ id, close }) {
  const start = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const body = { ...(form.get('checkpoint') ? { checkpoint: form.get('checkpoint') } : {}), ...(form.get('prompts') ? { prompts: 'current' } : {}) };
    await post(`/api/research/sessions/${id}/replays`, body).then((made) => (location.hash = `#/replay/${made.id}`), failed);
  };
  return html`<${Dialog} title=${t('research.replay')} onClose=${close}><form class="stack" onSubmit=${start}>
    <p>${t('research.replayText')}</p>
    <div class="field"><label for="replay-checkpoint">${t('research.checkpoint')}</label><input class="input" id="replay-checkpoint" name="checkpoint" placeholder=${t('research.checkpointHint')} /></div>
    <label class="check"><input type="checkbox" name="prompts" />${t('research.replayPrompts')}</label>
    <button type="submit" class="button button-primary">${t('research.replayStart')}</button>
  </form><//>`;
}

function Erase({ participant, study, close }) {
  const [typed, setTyped] = useState('');
  const [isBusy, setBusy] = useState(false);
  const go = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      const receipt = await post(`/api/research/participants/${participant}/erase`, { confirm: typed });
      const records = Object.values(receipt.counts).reduce((sum, count) => sum + count, 0);
      toast(t('research.erased', { records, contents: receipt.contents.length }), { kind: 'success', seconds: 20 });
      location.hash = `#/study/${study}`;
    } catch (error) {
      setBusy(false);
      failed(error);
    }
  };
  return html`<${Dialog} title=${t('research.erase')} onClose=${close}><form class="stack" onSubmit=${go}>
    <div class="field"><label for="erase-confirm">${t('research.eraseText')} <code>${participant}</code></label>
    <input class="input" id="erase-confirm" autocomplete="off" value=${typed} onInput=${(event) => setTyped(event.target.value)} /></div>
    <button type="submit" class="button button-danger" disabled=${typed !== participant || isBusy}>${t(isBusy ? 'research.erasing' : 'research.erase')}</button>
  </form><//>`;
}
