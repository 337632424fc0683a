// The participant's page.
import { html, render } from '../vendor/preact.js';
import { t, addWords, useLang } from '../shared/i18n.js';
import { Empty, Toasts, TopBar } from '../shared/ui.js';

addWords({ en: { 'page.coming': 'This page is being built.' }, zh: { 'page.coming': '页面正在建设中。' } });

function Page() {
  useLang();
  return html`<${TopBar} title="StepIdeator" /><main class="page-main" id="content"><h1 class="visually-hidden">StepIdeator</h1><${Empty} title=${t('page.coming')} /></main><${Toasts} />`;
}

render(html`<${Page} />`, document.getElementById('app'));
