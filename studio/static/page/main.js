// The participant's page: who comes is let in, and finds everything as it was.
import { html, render, useEffect, useState } from '../vendor/preact.js';
import { t, useLang } from '../shared/i18n.js';
import { Toasts } from '../shared/ui.js';
import './words.js';
import { enter, whoComes } from './session.js';
import { use } from './state.js';
import { Studio } from './studio.js';
import { Arriving, Welcome } from './welcome.js';

function Page() {
  const lang = useLang();
  const isReady = use((state) => state.isReady);
  const [problem, setProblem] = useState(null);
  const [who, setWho] = useState(whoComes);
  const come = async (name) => {
    setWho(name);
    setProblem(null);
    await enter(name).catch(setProblem);
  };
  useEffect(() => { if (who) come(who); }, []);
  useEffect(() => { document.title = t('page.title'); }, [lang]);
  return html`<a class="skip-link" href="#content">${t('shared.skip')}</a>
    ${isReady ? html`<${Studio} />` : who ? html`<${Arriving} problem=${problem} again=${() => come(who)} other=${() => setWho('')} />` : html`<${Welcome} come=${come} />`}
    <${Toasts} />`;
}

render(html`<${Page} />`, document.getElementById('app'));
