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
  const what = picture && t('tray.picture', { what: t(`rep.${picture.representation}`) });
  return html`<section class=${classes('tray', isEmpty && 'tray-empty')} aria-label=${t('tray.title')}>
    <span class="tray-title"><${Icon} name="input" size=${18} /><span>${t('tray.title')}</span></span>
    ${
      isEmpty
        ? html`<span class="muted">${t('tray.empty')}</span>`
        : html`<ul class="tray-list">
      ${picture && html`<li class="chip chip-picture"><img src=${pictureUrl(picture.url, 128)} alt="" width="34" height="34" /><span>${t(`rep.${picture.representation}`)}</span><${IconButton} icon="close" size=${14} label=${t('tray.remove', { what })} onClick=${() => togglePicture(picture.url, picture.representation)} /></li>`}
      ${texts.map((text) => html`<li key=${text} class="chip" title=${text}><span class="chip-text">${text}</span><${IconButton} icon="close" size=${14} label=${t('tray.remove', { what: text.slice(0, 60) })} onClick=${() => toggleText(text)} /></li>`)}
    </ul><button type="button" class="button button-quiet button-small" onClick=${clearChoice}>${t('tray.clear')}</button>`
    }
  </section>`;
}
