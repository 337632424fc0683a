// Write a note of one's own.
import { html, useState } from '../vendor/preact.js';
import { t } from '../shared/i18n.js';
import { Dialog, toast } from '../shared/ui.js';
import { toggleText } from './choices.js';
import { tell } from './events.js';
import { keep, recall } from './kept.js';
import { addNote } from './own.js';
import { store } from './state.js';

export function Writing() {
  const key = `note.${store.get().username}`;
  const [text, setText] = useState(() => recall(key, ''));
  const close = () => store.set({ writing: false });
  const write = (event) => {
    setText(event.target.value);
    keep(key, event.target.value);
  };
  const save = () => {
    if (!text.trim()) return toast(t('write.empty'));
    const note = addNote(text);
    tell('note.save', { object: 'brief', data: { text: note.text } });
    toggleText(note.text);
    keep(key, null);
    return close();
  };
  const footer = html`<button type="button" class="button" onClick=${close}>${t('shared.cancel')}</button
    ><button type="button" class="button button-primary" onClick=${save}>${t('write.save')}</button>`;
  return html`<${Dialog} title=${t('write.title')} onClose=${close} footer=${footer}>
    <div class="field">
      <label for="note">${t('write.label')}</label
      ><textarea
        id="note"
        class="textarea"
        rows="6"
        maxlength="5000"
        placeholder=${t('write.placeholder')}
        value=${text}
        onInput=${write}
      ></textarea>
    </div>
  <//>`;
}
