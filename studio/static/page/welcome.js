// Before the work: who are you?
import { html, useRef, useState } from '../vendor/preact.js';
import { sentence, t } from '../shared/i18n.js';
import { Icon, TopBar } from '../shared/ui.js';
import { lastName } from './session.js';
import { REPRESENTATIONS } from './state.js';

/** The four forms of an idea, drawn; decoration. */
function Forms() {
  const shapes = {
    brief: html`<path d="M30 26h60M30 42h48M30 58h56M30 74h36" />`,
    sketch: html`<path d="M44 92c10-2 26-2 34 0M60 92l2-34M62 58l-26-16 20-18 30 22zM62 58l24-12" /><path
        d="M30 50l8 6M88 30l6-6"
        opacity=".5"
      />`,
    model: html`<path
      d="M42 92h38l-6-6H48zM58 86l2-26h6l2 26M34 44l22-20 34 22-28 16z"
      fill="currentColor"
      fill-opacity=".16"
    />`,
    rendering: html`<path
        d="M42 92h38l-6-6H48zM58 86l2-26h6l2 26M34 44l22-20 34 22-28 16z"
        fill="currentColor"
        fill-opacity=".85"
      /><path d="M62 62L30 96h66z" fill="currentColor" fill-opacity=".14" stroke="none" />`,
  };
  return html`<div class="forms" aria-hidden="true">
    ${REPRESENTATIONS.map(
      (name) =>
        html`<div class=${`form form-${name}`} key=${name}>
          <svg
            viewBox="0 0 120 112"
            fill="none"
            stroke="currentColor"
            stroke-width="2.4"
            stroke-linecap="round"
            stroke-linejoin="round"
          >
            ${shapes[name]}
          </svg>
          <span>${t(`rep.${name}`)}</span>
        </div>`,
    )}
  </div>`;
}

export function Welcome({ come }) {
  const [name, setName] = useState('');
  const [isMissing, setMissing] = useState(false);
  const input = useRef(null);
  const before = lastName();
  const submit = (event) => {
    event.preventDefault();
    if (name.trim()) return come(name.trim());
    setMissing(true);
    return input.current.focus();
  };
  return html`<${TopBar} title="StepIdeator" />
    <main id="content" class="welcome">
      <section class="welcome-words">
        <h1>${t('welcome.title')}</h1>
        <p class="welcome-text">${t('welcome.text')}</p>
        <form class="card welcome-form" onSubmit=${submit} novalidate>
          <div class="field">
            <label for="name">${t('welcome.name')}</label>
            <input
              id="name"
              ref=${input}
              class="input"
              name="name"
              autocomplete="name"
              maxlength="256"
              placeholder=${t('welcome.placeholder')}
              value=${name}
              aria-describedby=${isMissing ? 'name-error' : 'name-hint'}
              aria-invalid=${isMissing}
              onInput=${(event) => {
                setName(event.target.value);
                setMissing(false);
              }}
            />
            ${isMissing ? html`<span id="name-error" class="field-error" role="alert">${t('welcome.missing')}</span>` : html`<span id="name-hint" class="field-hint">${t('welcome.hint')}</span>`}
          </div>
          <button type="submit" class="button button-primary button-large">
            ${t('welcome.start')}<${Icon} name="arrow_right" />
          </button>
          ${before && html`<button type="button" class="button button-quiet" onClick=${() => come(before)}>${t('welcome.continue', { name: before })}</button>`}
        </form>
      </section>
      <${Forms} />
    </main>`;
}

export function Arriving({ problem, again, other }) {
  return html`<${TopBar} title="StepIdeator" />
    <main id="content" class="arriving" aria-busy=${!problem}>
      <h1 class="visually-hidden">StepIdeator</h1>
      ${
        problem
          ? html`<div class="card card-pad arriving-problem" role="alert">
              <h2>${t('welcome.failed')}</h2>
              <p>${sentence(problem)}</p>
              <div class="row">
                <button class="button button-primary" onClick=${again}>${t('welcome.retry')}</button
                ><button class="button" onClick=${other}>${t('who.change')}</button>
              </div>
            </div>`
          : html`<p class="visually-hidden" role="status">${t('welcome.loading')}</p>
              <div class="arriving-columns" aria-hidden="true">
                ${REPRESENTATIONS.map(
                  (name) =>
                    html`<div key=${name}>
                      <div class="skeleton" style="height:34px;width:50%"></div>
                      <div class="skeleton" style="height:180px"></div>
                      <div class="skeleton" style="height:220px"></div>
                    </div>`,
                )}
              </div>`
      }
    </main>`;
}
