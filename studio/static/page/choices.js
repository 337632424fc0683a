// What the participant sets and chooses, each step told.
import { pictureHash } from '../shared/api.js';
import { t } from '../shared/i18n.js';
import { announce } from '../shared/ui.js';
import { tell } from './events.js';
import { changed } from './own.js';
import { MAX_NUM, store } from './state.js';

/** Whether two addresses are of the same picture. */
export const isPicture = (one, address) => Boolean(one && address && pictureHash(one.url) === pictureHash(address));

/** Choose a picture to work on, in place of another one; or let go of it. */
export function togglePicture(address, representation) {
  const isChosen = isPicture(store.get().picture, address);
  store.set({ picture: isChosen ? null : { url: address, representation } });
  tell(isChosen ? 'input.unselect' : 'input.select', { object: representation, inputs: [pictureHash(address)] });
  announce(t(isChosen ? 'say.unchosen' : 'say.chosen'));
}

/** Choose a picture to work on, whatever was chosen before. */
export function choosePicture(address, representation) {
  if (!isPicture(store.get().picture, address)) togglePicture(address, representation);
}

/** Choose a text to work on beside others, or let go of it. */
export function toggleText(text) {
  const { texts } = store.get();
  const isChosen = texts.includes(text);
  store.set({ texts: isChosen ? texts.filter((one) => one !== text) : [...texts, text] });
  tell(isChosen ? 'input.unselect' : 'input.select', { object: 'text', inputs: [text] });
  announce(t(isChosen ? 'say.unchosen' : 'say.chosen'));
}

/** Choose all of some texts; when all are chosen already, let go of them. */
export function toggleTexts(some) {
  const { texts } = store.get();
  const areChosen = some.every((text) => texts.includes(text));
  store.set({ texts: areChosen ? texts.filter((text) => !some.includes(text)) : [...new Set([...texts, ...some])] });
  tell(areChosen ? 'input.unselect' : 'input.select', {
    object: 'card',
    inputs: some,
  });
  announce(t(areChosen ? 'say.unchosen' : 'say.chosen'));
}

/** Let go of everything chosen. */
export function clearChoice() {
  tell('input.unselect', { object: 'all' });
  store.set({ texts: [], picture: null });
  announce(t('say.unchosen'));
}

/** Set how many proposals are asked for, within what the study allows. */
export function setNum(num) {
  const most = Math.min(MAX_NUM, store.get().session?.num_max || MAX_NUM);
  const next = Math.min(Math.max(num, 1), most);
  if (next === store.get().num) return;
  store.set({ num: next });
  tell('num.set', { data: { num: next } });
}

let toldTask = null;
/** Note the task as it is written; it is told when the participant leaves the field. */
export const setTask = (task) => store.set({ task });
export function taskIsWritten() {
  const { task } = store.get();
  if (task === toldTask) return;
  toldTask = task;
  tell('task.set', { data: { task } });
  changed();
}

/** Go to another representation. */
export function goTo(stage) {
  const from = store.get().stage;
  if (from === stage) return;
  store.set({ stage });
  tell('stage.switch', { object: stage, data: { from } });
}
