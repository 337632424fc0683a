// A text of the assistant: a card whose every sentence can be chosen.
import { html, useMemo, useState } from '../vendor/preact.js';
import { getLang, hasWord, t } from '../shared/i18n.js';
import { Icon, IconButton } from '../shared/ui.js';
import { toggleText, toggleTexts } from './choices.js';
import { cardOf, stringsOf } from './model.js';
import { use } from './state.js';

const CJK = /[\u3400-\u9fff]/;
const keyWord = (key) => (getLang() === 'en' && hasWord(`key.${key}`) ? t(`key.${key}`) : key);
const langOf = (text) => (CJK.test(text) ? 'zh-CN' : 'en');

export function TextCard({ text, title, isOpenAtFirst = true }) {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  const value = useMemo(() => cardOf(text), [text]);
  const strings = useMemo(() => [...new Set(stringsOf(value))], [value]);
  const areChosen = use((state) => strings.length > 0 && strings.every((one) => state.texts.includes(one)));
  return html`<div class="text-card" role="group" aria-label=${title}>
    <header class="text-card-head">
      <button type="button" class="text-card-fold" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
        <${Icon} name="chevron" size=${16} />${title}
      </button>
      <${IconButton}
        icon="check"
        size=${16}
        label=${t('act.whole')}
        aria-pressed=${areChosen}
        onClick=${() => toggleTexts(strings)}
      />
    </header>
    ${isOpen ? html`<${Value} value=${value} />` : html`<p class="text-card-glimpse" lang=${langOf(strings.join(''))}>${strings.join(' · ')}</p>`}
  </div>`;
}

function Value({ value, depth = 0 }) {
  if (typeof value === 'string' || typeof value === 'number') return html`<${Sentence} text=${String(value)} />`;
  if (Array.isArray(value))
    return html`<ul class="sentences">
      ${value.map((one, i) => html`<li key=${i}><${Value} value=${one} depth=${depth} /></li>`)}
    </ul>`;
  const entries = Object.entries(value || {}).filter(([, one]) => stringsOf(one).length);
  return html`<dl class=${depth ? 'keys keys-inner' : 'keys'}>
    ${entries.map(
      ([key, one]) =>
        html`<div key=${key}>
          <dt>${keyWord(key)}</dt>
          <dd><${Value} value=${one} depth=${depth + 1} /></dd>
        </div>`,
    )}
  </dl>`;
}

/** One text: click it to choose it. */
export function Sentence({ text }) {
  const isChosen = use((state) => state.texts.includes(text));
  return html`<button
    type="button"
    class="sentence"
    lang=${langOf(text)}
    aria-pressed=${isChosen}
    onClick=${() => toggleText(text)}
  >
    <span>${text}</span>${isChosen && html`<${Icon} name="check" size=${16} />`}
  </button>`;
}
