// One study: its link, its sessions as they go on, its plots, its export.
import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { get, patch, post, url } from '../shared/api.js';
import { moment, sentence, t } from '../shared/i18n.js';
import { Dialog, Empty, Icon, Progress, toast } from '../shared/ui.js';
import { StudyForm } from './form.js';
import { Overview } from './plots.js';
import { SessionsTable } from './sessions.js';
import { State, failed } from './studies.js';

const LOOK_MS = 500;

export function StudyView({ id }) {
  const [study, setStudy] = useState(null);
  const [problem, setProblem] = useState(null);
  const [isEditing, setEditing] = useState(false);
  const [isFreezing, setFreezing] = useState(false);
  const load = () => get(`/api/studies/${id}`).then(setStudy, setProblem);
  useEffect(() => {
    load();
  }, []);
  if (problem) return html`<${Empty} icon="warning" title=${problem.message || sentence(problem)} />`;
  if (!study) return html`<div class="skeleton" style="height:200px"></div>`;
  const change = (path, body) => post(`/api/studies/${id}/${path}`, body).then(load, failed);
  const save = async (own) => {
    const changed = await patch(`/api/studies/${id}`, { ...own, revision: study.revision }).catch(async (error) => {
      if (error.status === 409) {
        error.now = await get(`/api/studies/${id}`);
        setStudy(error.now);
      }
      throw error;
    });
    setStudy(changed);
    setEditing(false);
  };
  if (isEditing) return html`<${StudyForm} study=${study} save=${save} cancel=${() => setEditing(false)} />`;
  const freeze = () => {
    setFreezing(false);
    change('freeze', {});
  };
  return html`<header class="head">
      <div>
        <h1>${study.name}</h1>
        <p class="row"><${State} state=${study.state} />${study.seal && html`<span class="badge badge-accent" title=${study.seal.hash}>${t('research.frozen')} ${study.seal.hash.slice(0, 12)}</span>`}</p>
      </div>
      <div class="row">
        ${study.state !== 'open' && html`<button type="button" class="button button-primary" onClick=${() => change('state', { state: 'open' })}>${t(study.state === 'draft' ? 'research.open' : 'research.reopen')}</button>`}
        ${study.state === 'open' && !study.is_default && html`<button type="button" class="button" onClick=${() => change('state', { state: 'closed' })}>${t('research.close')}</button>`}
        ${!study.seal && !study.is_default && html`<button type="button" class="button" onClick=${() => setEditing(true)}>${t('research.edit')}</button>
          <button type="button" class="button" onClick=${() => setFreezing(true)}>${t('research.freeze')}</button>`}
      </div>
    </header>
    ${study.join_url && html`<${Link} address=${study.join_url} />`}
    ${study.seal && html`<${Drift} id=${id} />`}
    <${Export} id=${id} />
    <section><h2>${t('research.sessions')}</h2><${SessionsTable} study=${study} /></section>
    <section><h2>${t('research.overview')}</h2><${Overview} id=${id} /></section>
    ${isFreezing && html`<${Dialog} title=${t('research.freeze')} onClose=${() => setFreezing(false)}
      footer=${html`<button type="button" class="button" onClick=${() => setFreezing(false)}>${t('research.cancel')}</button><button type="button" class="button button-primary" onClick=${freeze}>${t('research.freeze')}</button>`}>
      <p>${t('research.freezeSure')}</p>
    <//>`}`;
}

function Link({ address }) {
  const box = useRef(null);
  const said = () => toast(t('research.copied'), { kind: 'success' });
  const copy = () => {
    // Over plain HTTP a browser has no clipboard for pages; then the old way is left.
    if (navigator.clipboard) return navigator.clipboard.writeText(address).then(said, failed);
    box.current.select();
    return document.execCommand('copy') && said();
  };
  return html`<div class="card card-pad row link">
    <label for="join-link">${t('research.link')}</label>
    <input class="input" id="join-link" ref=${box} readonly value=${address} onFocus=${(event) => event.target.select()} />
    <button type="button" class="button button-small" onClick=${copy}>${t('research.copy')}</button>
  </div>`;
}

const short = (text) => (text === null ? '—' : String(text).slice(0, 40));

function Drift({ id }) {
  const [drift, setDrift] = useState(null);
  useEffect(() => {
    get(`/api/studies/${id}/drift`).then(setDrift, failed);
  }, []);
  if (!drift || !drift.differences.length) return null;
  return html`<div class="banner banner-danger" role="status">
    <${Icon} name="warning" />
    <div><b>${t('research.drifted')}</b><ul>${drift.differences.map((one) => html`<li>${one.what} ${one.name}: ${short(one.sealed)} → ${short(one.now)}</li>`)}</ul></div>
  </div>`;
}

function Export({ id }) {
  const [run, setRun] = useState(null);
  const isOver = !run || ['done', 'failed'].includes(run.state);
  useEffect(() => {
    if (isOver) return undefined;
    const timer = setTimeout(() => get(`/api/exports/${run.id}`).then(setRun, failed), LOOK_MS);
    return () => clearTimeout(timer);
  }, [run]);
  const start = () => post(`/api/studies/${id}/exports`).then(setRun, failed);
  useEffect(() => {
    get(`/api/studies/${id}/exports`).then((data) => data.exports[0] && setRun(data.exports[0]), failed);
  }, []);
  return html`<div class="card card-pad row export">
    <button type="button" class="button" disabled=${!isOver} onClick=${start}>${t('research.export')}</button>
    ${!isOver && html`<div class="grow"><${Progress} value=${run.progress} label=${t(run.state === 'checking' ? 'research.checking' : 'research.exporting')} /><span class="field-hint">${t(run.state === 'checking' ? 'research.checking' : 'research.exporting')}</span></div>`}
    ${run?.state === 'done' && html`<a class="button button-primary" href=${run.file_url || url(`/api/exports/${run.id}/file`)} download>${t('research.download')}</a><span class="field-hint">${(run.bytes / 1e6).toFixed(1)} MB · ${moment(run.created_at)}</span>`}
    ${run?.state === 'failed' && html`<span class="field-error">${run.error}</span>`}
  </div>`;
}

