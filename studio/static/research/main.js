// The researcher's page: studies, one study, one session, one replay; which of them the address after # says.
import { html, render, useEffect, useState } from '../vendor/preact.js';
import { get, post } from '../shared/api.js';
import { sentence, t, useLang } from '../shared/i18n.js';
import { Empty, Icon, Toasts, TopBar, toast } from '../shared/ui.js';
import './words.js';
import { Replay } from './replay.js';
import { SessionView } from './session.js';
import { Studies } from './studies.js';
import { StudyView } from './study.js';

const place = () => location.hash.slice(1).split('/').filter(Boolean);

function Page() {
  const lang = useLang();
  const [me, setMe] = useState(null);
  const [problem, setProblem] = useState(null);
  const [where, setWhere] = useState(place);
  useEffect(() => {
    const go = () => setWhere(place());
    addEventListener('hashchange', go);
    get('/api/me').then(setMe, (error) => {
      if (error.status === 401) location.href = 'login';
      else setProblem(error);
    });
    return () => removeEventListener('hashchange', go);
  }, []);
  useEffect(() => {
    document.title = `${t('research.title')} · StepIdeator`;
  }, [lang]);
  const leave = () => post('/api/logout').then(() => (location.href = 'login'), (error) => toast(sentence(error), { kind: 'error' }));
  const end = html`${me?.needs_login && html`<button type="button" class="button button-quiet" onClick=${leave}>${t('research.logout')}</button>`}`;
  return html`<a class="skip-link" href="#content" onClick=${skip}>${t('shared.skip')}</a>
    <${TopBar} title="StepIdeator" end=${end}><a class="button button-quiet" href="#/">${t('research.studies')}</a><a class="button button-quiet" href="prompts">${t('research.prompts')}</a><//>
    <main class="page-main research" id="content" tabindex="-1">
      ${me && !me.needs_login && html`<p class="banner banner-info"><${Icon} name="info" />${t('research.local')}</p>`}
      ${problem && html`<${Empty} icon="warning" title=${problem.message} />`} ${me && html`<${View} where=${where} />`}
    </main>
    <${Toasts} />`;
}

function skip(event) {
  event.preventDefault();
  document.getElementById('content').focus();
}

function View({ where }) {
  const [kind, id] = where;
  if (kind === 'study') return html`<${StudyView} key=${id} id=${id} />`;
  if (kind === 'session') return html`<${SessionView} key=${id} id=${id} />`;
  if (kind === 'replay') return html`<${Replay} key=${id} id=${id} />`;
  return html`<${Studies} />`;
}

render(html`<${Page} />`, document.getElementById('app'));
