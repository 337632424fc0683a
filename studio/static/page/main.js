// The participant's page: who comes is let in, and finds everything as it was.
import { html, render, useEffect, useErrorBoundary, useState } from '../vendor/preact.js';
import { t, useLang } from '../shared/i18n.js';
import { Empty, Toasts } from '../shared/ui.js';
import './words.js';
import './words_closer.js';
import { Thanks, isOver } from './finish.js';
import { enter, whoComes } from './session.js';
import { tell } from './events.js';
import { use } from './state.js';
import { Studio } from './studio.js';
import { Arriving, Welcome } from './welcome.js';

function Page() {
  const lang = useLang();
  const [isReady, isDone] = use((state) => [state.isReady, isOver(state)]);
  const [problem, setProblem] = useState(null);
  const [broken] = useErrorBoundary((error) =>
    tell('error.shown', { object: 'page', data: { message: String(error) } }),
  );
  const [who, setWho] = useState(whoComes);
  const come = async (name) => {
    setWho(name);
    setProblem(null);
    await enter(name).catch(setProblem);
  };
  useEffect(() => {
    if (who) come(who);
  }, []);
  useEffect(() => {
    document.title = t('page.title');
  }, [lang]);
  if (broken) return html`<${Broken} />`;
  return html`<a class="skip-link" href="#content">${t('shared.skip')}</a>
    ${isReady && isDone ? html`<${Thanks} />` : isReady ? html`<${Studio} />` : who ? html`<${Arriving} problem=${problem} again=${() => come(who)} other=${() => setWho('')} />` : html`<${Welcome} come=${come} />`}
    <${Toasts} />`;
}

/** What stands there when the page itself has met an error; everything is kept elsewhere. */
function Broken() {
  return html`<main class="arriving" role="alert">
    <${Empty} icon="warning" title=${t('broken.title')}
      ><p>${t('broken.text')}</p>
      <button type="button" class="button button-primary" onClick=${() => location.reload()}>
        ${t('broken.reload')}
      </button><//
    >
  </main>`;
}

render(html`<${Page} />`, document.getElementById('app'));
