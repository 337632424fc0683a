// Something that the participant made: a note, a drawing, an uploaded picture.
import { html } from '../vendor/preact.js';
import { moment, t } from '../shared/i18n.js';
import { Picture } from './picture.js';
import { store, use } from './state.js';
import { Sentence } from './text_card.js';

export function OwnThing({ id }) {
  const thing = use((state) => state.own.find((one) => one.id === id));
  if (!thing) return null;
  const title = t(`own.${thing.origin}`);
  return html`<article class="generation own-thing" aria-labelledby=${`title-${id}`}>
    <header class="generation-head">
      <div class="generation-title">
        <h3 id=${`title-${id}`}>${title}</h3>
        <time datetime=${thing.at} title=${moment(thing.at)}>${moment(thing.at, { timeStyle: 'short' })}</time>
      </div>
    </header>
    ${
      thing.text
        ? html`<div class="text-card"><${Sentence} text=${thing.text} /></div>`
        : html`<div class="tiles tiles-one">
            <${Picture}
              isLarge=${true}
              address=${thing.url}
              representation=${thing.representation}
              name=${title}
              open=${() => store.set({ detail: { ownId: id } })}
            />
          </div>`
    }
  </article>`;
}
