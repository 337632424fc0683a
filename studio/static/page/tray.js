// What is chosen to work on, always in sight.
import { html } from '../vendor/preact.js';
import { pictureUrl } from '../shared/api.js';
import { t } from '../shared/i18n.js';
import { Icon, IconButton, classes } from '../shared/ui.js';
import { clearChoice, togglePicture, toggleText } from './choices.js';
import { use } from './state.js';

export function Tray() {
  const [texts, picture, hasAssistant] = use((state) => [
    state.texts,
    state.picture,
    state.session?.assistant !== false,
  ]);
  if (!hasAssistant) return null;
  const isEmpty = !texts.length && !picture;
  return html`<section class=${classes('tray', isEmpty && 'tray-empty')} aria-label=${t('tray.title')}>
    <span class="tray-title"><${Icon} name="input" size=${18} /><span>${t('tray.title')}</span></span>
    ${
      isEmpty
        ? html`<span class="muted">${t('tray.empty')}</span>`
        : html`<ul class="tray-list">
              ${picture && html`<${PictureChip} picture=${picture} />`}
              ${texts.map((text) => html`<${TextChip} key=${text} text=${text} />`)}
            </ul>
            <button type="button" class="button button-quiet button-small" onClick=${clearChoice}>
              ${t('tray.clear')}
            </button>`
    }
  </section>`;
}

function PictureChip({ picture }) {
  const name = t(`rep.${picture.representation}`);
  const remove = () => togglePicture(picture.url, picture.representation);
  return html`<li class="chip chip-picture">
    <img src=${pictureUrl(picture.url, 128)} alt="" width="34" height="34" /><span>${name}</span>
    <${Remove} what=${t('tray.picture', { what: name })} press=${remove} />
  </li>`;
}

function TextChip({ text }) {
  return html`<li class="chip" title=${text}>
    <span class="chip-text">${text}</span><${Remove} what=${text.slice(0, 60)} press=${() => toggleText(text)} />
  </li>`;
}

function Remove({ what, press }) {
  return html`<${IconButton} icon="close" size=${14} label=${t('tray.remove', { what })} onClick=${press} />`;
}
