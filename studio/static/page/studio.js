// The workplace: the task on top, the board or the tree, what is chosen at the bottom.
import { html, useEffect, useState } from '../vendor/preact.js';
import { t } from '../shared/i18n.js';
import { useWindowEvent } from '../shared/state.js';
import { Dialog, Icon, IconButton, TopBar, classes } from '../shared/ui.js';
import { Board } from './board.js';
import { MAX_NUM, store, use } from './state.js';
import { setNum, setTask, taskIsWritten } from './choices.js';
import { Detail } from './detail.js';
import { tell } from './events.js';
import { DropZone } from './dropping.js';
import { Finish } from './finish.js';
import { leave } from './session.js';
import { Tray } from './tray.js';
import { Writing } from './writing.js';

export function Studio() {
  const [view, detail, drawing, writing] = use((state) => [state.view, state.detail, state.drawing, state.writing]);
  useEffect(() => {
    document.getElementById(store.get().task ? 'content' : 'task').focus({ preventScroll: true });
  }, []);
  return html`<div class="studio">
    <${TopBar} title="StepIdeator" end=${html`<${Finish} /><${Who} /><${Help} />`}><${Views} /><//>
    <${Offline} />
    <${TaskBar} />
    <main id="content" class="studio-main" tabindex="-1">
      <h1 class="visually-hidden">${t('page.title')}</h1>
      ${view === 'tree' ? html`<${Later} load=${() => import('./tree.js')} name="Tree" />` : html`<${Board} />`}
    </main>
    <${Tray} />
    <${DropZone} />
    ${detail && html`<${Detail} ...${detail} />`} ${writing && html`<${Writing} />`}
    ${drawing && html`<${Later} load=${() => import('./draw.js')} name="Draw" props=${drawing} />`}
  </div>`;
}

/** Says that there is no connection, while there is none. */
function Offline() {
  const [isOff, setOff] = useState(!navigator.onLine);
  useWindowEvent('offline', () => setOff(true));
  useWindowEvent('online', () => setOff(false));
  return html`<div class="offline" role="status">
    ${isOff && html`<p class="banner"><${Icon} name="warning" />${t('offline.title')}</p>`}
  </div>`;
}

/** A part of the page that is fetched when it is first needed. */
function Later({ load, name, props = {} }) {
  const [Part, setPart] = useState(null);
  useEffect(() => {
    load().then((module) => setPart(() => module[name]));
  }, []);
  return Part ? html`<${Part} ...${props} />` : null;
}

function Views() {
  const view = use((state) => state.view);
  const show = (next) => {
    store.set({ view: next });
    if (next === 'tree') tell('tree.open');
  };
  return html`<div class="tabs" role="group" aria-label=${t('view.label')}>
    ${['board', 'tree'].map((name) => html`<button key=${name} type="button" class="tab" aria-pressed=${view === name} onClick=${() => show(name)}><${Icon} name=${name} size=${18} />${t(`view.${name}`)}</button>`)}
  </div>`;
}

function Who() {
  const [username, isGuest] = use((state) => [state.username, state.isGuest]);
  const name = isGuest ? t('who.participant') : username;
  return html`<span class="who" title=${name}
    ><${Icon} name="person" /><span class="who-name">${name}</span>
    ${!isGuest && html`<${IconButton} icon="login" label=${t('who.switch')} onClick=${leave} />`}</span
  >`;
}

function Help() {
  const [isOpen, setOpen] = useState(false);
  const open = () => {
    setOpen(true);
    tell('help.open');
  };
  return html`<${IconButton} icon="help" label=${t('help.open')} onClick=${open} /> ${
      isOpen &&
      html`<${Dialog} title=${t('help.title')} onClose=${() => setOpen(false)}
        ><ol class="help">
          ${[1, 2, 3, 4, 5].map((n) => html`<li key=${n}><span aria-hidden="true">${n}</span>${t(`help.${n}`)}</li>`)}
        </ol><//
      >`
    }`;
}

function TaskBar() {
  const [task, num, session] = use((state) => [state.task, state.num, state.session]);
  const most = Math.min(MAX_NUM, session?.num_max || MAX_NUM);
  const hasAssistant = session?.assistant !== false;
  return html`<div class="task-bar">
    <div class="task-field">
      <label for="task">${t('task.label')}</label>
      <textarea
        id="task"
        class=${classes('task-input', !task && 'is-empty')}
        rows="1"
        maxlength="10000"
        placeholder=${t('task.placeholder')}
        value=${task}
        onInput=${(event) => setTask(event.target.value)}
        onBlur=${taskIsWritten}
        onKeyDown=${(event) => {
          if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            event.target.blur();
          }
        }}
      ></textarea>
    </div>
    ${
      hasAssistant &&
      html`<div class="num" role="group" aria-label=${t('num.label')}>
        <span class="num-label" aria-hidden="true">${t('num.label')}</span>
        <button
          type="button"
          class="icon-button"
          aria-label=${t('num.less')}
          title=${t('num.less')}
          disabled=${num <= 1}
          onClick=${() => setNum(num - 1)}
        >
          −
        </button>
        <output class="num-value" aria-live="polite">${num}</output>
        <button
          type="button"
          class="icon-button"
          aria-label=${t('num.more')}
          title=${t('num.more')}
          disabled=${num >= most}
          onClick=${() => setNum(num + 1)}
        >
          +
        </button>
      </div>`
    }
  </div>`;
}
