// A picture on the board: click it to choose it, look closer by its own button.
import { html } from '../vendor/preact.js';
import { pictureUrl } from '../shared/api.js';
import { t } from '../shared/i18n.js';
import { Icon, IconButton } from '../shared/ui.js';
import { isPicture, togglePicture } from './choices.js';
import { use } from './state.js';

const SIDE = 256;
const LARGE_SIDE = 512;

export function Picture({ address, representation, name, open, isLarge = false }) {
  const isChosen = use((state) => isPicture(state.picture, address));
  return html`<figure class="tile">
    <button
      type="button"
      class="tile-choose"
      aria-pressed=${isChosen}
      aria-label=${`${name}. ${t(isChosen ? 'act.chosen' : 'act.choose')}`}
      onClick=${() => togglePicture(address, representation)}
    >
      <img
        src=${pictureUrl(address, isLarge ? LARGE_SIDE : SIDE)}
        alt=""
        width="256"
        height="256"
        loading="lazy"
        decoding="async"
      />
      <span class="tile-check" aria-hidden="true"><${Icon} name="check" size=${16} /></span>
    </button>
    <${IconButton} icon="expand" size=${18} class="tile-open" label=${`${t('act.open')}: ${name}`} onClick=${open} />
  </figure>`;
}
