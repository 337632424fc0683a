// The join page: what the study is, what one agrees to, and in.
import { html, render, useEffect, useState } from '../vendor/preact.js';
import { get, post, url } from '../shared/api.js';
import { sentence, t, useLang } from '../shared/i18n.js';
import { uuid } from '../shared/ids.js';
import { Empty, Icon, Toasts, TopBar } from '../shared/ui.js';
import './words.js';
import { keep, recall } from './kept.js';

const joinKey = decodeURIComponent(location.pathname.split('/').filter(Boolean).pop() || '');
// Sent again after a lost answer it is the same joining, so nobody takes part twice.
const joining = { headers: { 'Idempotency-Key': uuid() } };
const client = () => ({
  user_agent: navigator.userAgent.slice(0, 500),
  language: navigator.language,
  screen: `${screen.width}x${screen.height}`,
});

/** Go to work with a code; the link with it is the participant's own. */
function goIn(code) {
  keep(`code.${joinKey}`, code);
  location.href = url(`/?p=${encodeURIComponent(code)}`);
}

function Page() {
  const lang = useLang();
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    get(`/api/join/${encodeURIComponent(joinKey)}`).then(setFound, setProblem);
  }, []);
  useEffect(() => {
    document.title = found ? `${found.name} · StepIdeator` : 'StepIdeator';
  }, [lang, found]);
  return html`<a class="skip-link" href="#content">${t('shared.skip')}</a><${TopBar} title="StepIdeator" />
    <main id="content" class="join">
      ${
        problem
          ? html`<h1 class="visually-hidden">StepIdeator</h1>
              <div role="alert">
                <${Empty} icon="warning" title=${problem.status === 404 ? t('join.unknown') : sentence(problem)} />
              </div>`
          : found
            ? html`<${Consent} study=${found} />`
            : html`<h1 class="visually-hidden">StepIdeator</h1>
                <p class="visually-hidden" role="status">${t('welcome.loading')}</p>
                <div class="skeleton" style="height:320px"></div>`
      }
    </main>
    <${Toasts} />`;
}

function Consent({ study }) {
  const [agrees, setAgrees] = useState(false);
  const [isMissing, setMissing] = useState(false);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const before = recall(`code.${joinKey}`, '');
  const submit = async (event) => {
    event.preventDefault();
    if (!agrees) {
      setMissing(true);
      return document.getElementById('agree').focus();
    }
    setBusy(true);
    try {
      const body = { consent: true, client: client(), ...(before ? { code: before } : {}) };
      const { code } = await post(`/api/join/${encodeURIComponent(joinKey)}`, body, joining);
      return goIn(code);
    } catch (error) {
      setProblem(error.status === 409 ? t('join.closed') : sentence(error));
      return setBusy(false);
    }
  };
  return html`<p class="join-invited">${t('join.invited')}</p>
    <h1>${study.name}</h1>
    ${study.description && html`<p class="join-words">${study.description}</p>`}
    ${before && html`<div class="banner banner-info join-before"><${Icon} name="info" /><span>${t('join.back')}</span><button type="button" class="button button-primary button-small" onClick=${() => goIn(before)}>${t('welcome.start')}</button></div>`}
    ${
      !study.is_open
        ? html`<p class="banner" role="alert"><${Icon} name="warning" />${t('join.closed')}</p>`
        : html`<form class="card join-form" onSubmit=${submit} novalidate>
            ${
              study.consent_text &&
              html`<h2>${t('join.consent')}</h2>
                <div class="join-consent" tabindex="0" role="region" aria-label=${t('join.consent')}>
                  ${study.consent_text}
                </div>`
            }
            <label class="join-agree"
              ><input
                id="agree"
                type="checkbox"
                checked=${agrees}
                aria-invalid=${isMissing}
                aria-describedby=${isMissing ? 'agree-error' : undefined}
                onChange=${(event) => {
                  setAgrees(event.target.checked);
                  setMissing(false);
                }}
              /><span>${t('join.agree')}</span></label
            >
            ${isMissing && html`<span id="agree-error" class="field-error" role="alert">${t('join.must')}</span>`}
            ${problem && html`<p class="field-error" role="alert">${problem}</p>`}
            <button type="submit" class="button button-primary button-large" disabled=${isBusy}>
              ${t('join.start')}<${Icon} name="arrow_right" />
            </button>
          </form>`
    }`;
}

render(html`<${Page} />`, document.getElementById('app'));
