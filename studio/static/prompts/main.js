// The page for prompts: a list at the left, one file at the right; which one the address after # says.
import { html, render, useEffect, useState } from '../vendor/preact.js';
import { get } from '../shared/api.js';
import { sentence, t, useLang } from '../shared/i18n.js';
import { Empty, Toasts, TopBar } from '../shared/ui.js';
import './words.js';
import { Editor } from './editor.js';

const KINDS = ['prompt', 'preset', 'directions', 'views'];
const place = () => location.hash.slice(2);

function Page() {
  const lang = useLang();
  const [files, setFiles] = useState(null);
  const [problem, setProblem] = useState(null);
  const [where, setWhere] = useState(place);
  const [sought, setSought] = useState('');
  const load = () =>
    get('/api/prompts').then(
      (data) => setFiles(data.files),
      (error) => {
        if (error.status === 401) location.href = 'login';
        else setProblem(error);
      },
    );
  useEffect(() => {
    const go = () => setWhere(place());
    addEventListener('hashchange', go);
    load();
    return () => removeEventListener('hashchange', go);
  }, []);
  useEffect(() => {
    document.title = `${t('prompts.title')} · StepIdeator`;
  }, [lang]);
  const seen = (files || []).filter((one) => `${one.name} ${one.purpose}`.toLowerCase().includes(sought.toLowerCase()));
  return html`<a class="skip-link" href="#content" onClick=${skip}>${t('shared.skip')}</a>
    <${TopBar} title="StepIdeator"><a class="button button-quiet" href="research">${t('prompts.research')}</a><//>
    <div class="prompts">
      <nav class="files" aria-label=${t('prompts.title')}>
        <input class="input" type="search" aria-label=${t('prompts.search')} placeholder=${t('prompts.search')} value=${sought} onInput=${(event) => setSought(event.target.value)} />
        ${KINDS.map((kind) => html`<${Group} key=${kind} kind=${kind} files=${seen.filter((one) => one.kind === kind)} where=${where} />`)}
      </nav>
      <main id="content" tabindex="-1">
        ${problem && html`<${Empty} icon="warning" title=${problem.message || sentence(problem)} />`}
        ${!problem && !where && html`<${Empty} icon="sparkle" title=${t('prompts.pick')}>${t('prompts.pickText')}<//>`}
        ${where && html`<${Editor} key=${where} path=${where} saved=${load} />`}
      </main>
    </div>
    <${Toasts} />`;
}

function skip(event) {
  event.preventDefault();
  document.getElementById('content').focus();
}

function Group({ kind, files, where }) {
  if (!files.length) return null;
  return html`<h2>${t(`prompts.kind.${kind}`)}</h2>
    <ul>${files.map((one) => {
      const path = `${one.kind}/${one.name}`;
      return html`<li key=${path}><a href=${`#/${path}`} aria-current=${path === where ? 'page' : undefined}><b>${one.name.replaceAll('_', ' ')}</b><span>${one.purpose}</span></a></li>`;
    })}</ul>`;
}

render(html`<${Page} />`, document.getElementById('app'));
