// One file: its text, what is wrong with it, how it looks filled in, a trial, its versions.
import { html, useEffect, useState } from '../vendor/preact.js';
import { get, post } from '../shared/api.js';
import { moment, sentence, t } from '../shared/i18n.js';
import { Empty, Icon, toast } from '../shared/ui.js';

const CHECK_MS = 400;
const failed = (error) => toast(error.message || sentence(error), { kind: 'error' });

export function Editor({ path, saved }) {
  const [file, setFile] = useState(null);
  const [source, setSource] = useState('');
  const [state, setState] = useState({ problems: [], rendered: {} });
  const [trial, setTrial] = useState(null);
  const [isTrying, setTrying] = useState(false);
  const [note, setNote] = useState('');
  const [missing, setMissing] = useState(null);
  const api = `/api/prompts/${path}`;
  const show = (found) => {
    setFile(found);
    setSource(found.source);
    setState({ problems: [], rendered: found.rendered });
  };
  useEffect(() => {
    get(api).then(show, setMissing);
  }, []);
  useEffect(() => {
    if (!file || source === file.source) return undefined;
    const timer = setTimeout(() => post(`${api}/check`, { source }).then(setState, failed), CHECK_MS);
    return () => clearTimeout(timer);
  }, [source]);
  if (missing) return html`<${Empty} icon="warning" title=${missing.message || sentence(missing)} />`;
  if (!file) return html`<div class="skeleton" style="height:320px"></div>`;
  const isChanged = source !== file.source;
  const isRight = !state.problems.length;
  const attempt = () => {
    setTrying(true);
    post(`${api}/try`, { source }).then(setTrial, failed).finally(() => setTrying(false));
  };
  const save = () =>
    post(api, { source, base_hash: file.hash, note }).then(
      (found) => {
        show(found);
        setNote('');
        setTrial(null);
        toast(t('prompts.saved'), { kind: 'success' });
        saved();
      },
      (error) => {
        if (error.status === 409) get(api).then(setFile, failed);
        failed(error.status === 409 ? { message: t('prompts.conflict') } : error);
      },
    );
  return html`<header><h1>${file.name.replaceAll('_', ' ')}</h1><p class="purpose">${file.purpose}</p>
      <p class="marks">${file.variables.map((name) => html`<code class="variable" title=${file.example[name]}>$${name}</code>`)}
      ${file.operations.length > 0 && html`<span class="field-hint">${t('prompts.usedBy')} ${file.operations.join(', ')}</span>`}</p></header>
    <div class="sides">
      <div class="field"><label for="source">${t('prompts.text')} <span class="field-hint">${file.file}</span></label>
        <textarea id="source" class="textarea source" spellcheck="false" value=${source} onInput=${(event) => setSource(event.target.value)} aria-describedby="problems"></textarea></div>
      <div class="stack">
        <div id="problems" aria-live="polite">${!isRight && html`<div class="banner banner-danger"><${Icon} name="warning" /><div><b>${t('prompts.problems')}</b><ul>${state.problems.map((one) => html`<li><code>${one.key || t('prompts.whole')}</code> ${one.message}</li>`)}</ul></div></div>`}</div>
        <h2>${t('prompts.preview')}</h2>
        ${Object.entries(state.rendered).map(([name, text]) => html`<${Text} title=${name} text=${text} />`)}
      </div>
    </div>
    <div class="actions">
      ${file.kind === 'prompt' && html`<button type="button" class="button" disabled=${!isRight || isTrying} onClick=${attempt}>${t(isTrying ? 'prompts.trying' : 'prompts.try')}</button>`}
      ${isChanged && html`<button type="button" class="button button-quiet" onClick=${() => show(file)}>${t('prompts.undo')}</button>`}
      ${file.is_editable ? html`<input class="input note" aria-label=${t('prompts.note')} placeholder=${t('prompts.note')} maxlength="500" value=${note} onInput=${(event) => setNote(event.target.value)} />
        <button type="button" class="button button-primary" disabled=${!isChanged || !isRight} onClick=${save}>${t('prompts.save')}</button>` : html`<span class="field-hint">${t('prompts.off')}</span>`}
    </div>
    ${isChanged && html`<section><h2>${t('prompts.difference')}</h2><${Difference} old=${file.source} now=${source} /></section>`}
    ${trial && html`<section class="sides">${[['current', trial.current], ['candidate', trial.candidate]].map(([name, one]) => html`<${Text} key=${name} title=${t(`prompts.${name}`)} text=${one.error || one.answer || ''} />`)}</section>`}
    <${History} file=${file} look=${setSource} />`;
}

const Text = ({ title, text }) => html`<div><p class="field-hint">${title}</p><pre class="card card-pad said" tabindex="0">${text}</pre></div>`;

function Difference({ old, now }) {
  const parts = window.Diff.diffWordsWithSpace(old, now);
  return html`<pre class="card card-pad said" tabindex="0">${parts.map((part) => (part.added ? html`<ins>${part.value}</ins>` : part.removed ? html`<del>${part.value}</del>` : part.value))}</pre>`;
}

function History({ file, look }) {
  const restore = (hash) => get(`/api/prompts/versions/${hash}`).then((version) => look(version.source), failed);
  return html`<section><h2>${t('prompts.history')}</h2>
    ${!file.versions.length && html`<p class="field-hint">${t('prompts.noHistory')}</p>`}
    <ul class="versions">${file.versions.map((one) => html`<li key=${one.hash}><code>${one.hash.slice(0, 10)}</code> ${moment(one.created_at)} ${one.saved_by} ${one.note}
      ${one.hash === file.hash ? html`<span class="badge badge-success">${t('prompts.inUse')}</span>` : html`<button type="button" class="button button-small" onClick=${() => restore(one.hash)}>${t('prompts.restore')}</button>`}</li>`)}</ul>
  </section>`;
}
