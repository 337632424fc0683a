// What the participant made without the assistant: notes, drawings, uploads; and the task. Kept here and on the server.
import { api, pictureHash, post, url } from '../shared/api.js';
import { uuid } from '../shared/ids.js';
import { keep, recall } from './kept.js';
import { STAGE_NAMES, store } from './state.js';
import { tell } from './events.js';

const PAUSE_MS = 1200;
const LISTS = {
  brief: 'designBriefSchemes',
  sketch: 'sketchSchemes',
  model: 'modelImageSchemes',
  rendering: 'renderingSchemes',
};

let foreign = {};
let timer = 0;
let savedText = '';

/** Take over what the server has saved of this participant, and what only this browser knows. */
export function restore(saved) {
  foreign = {};
  const own = new Map();
  for (const [representation, name] of Object.entries(LISTS)) {
    const schemes = saved?.[name] || [];
    foreign[representation] = schemes.filter((scheme) => !scheme?.studio);
    for (const scheme of schemes) if (scheme?.studio) own.set(scheme.studio.id, thingOf(scheme, representation));
  }
  const local = recall(`own.${store.get().username}`, {});
  const isBehind = (local.own || []).some((thing) => !own.has(thing.id));
  for (const thing of local.own || []) own.set(thing.id, thing);
  const things = [...own.values()].sort((a, b) => (a.at < b.at ? -1 : 1));
  return { own: things, task: saved?.designTask || local.task || '', isBehind };
}

/** Add a note: a text of the participant's own. */
export function addNote(text, representation = 'brief') {
  return add({ kind: 'note', origin: 'note', representation, text: text.trim(), parents: [] });
}

/** Add a picture that the server has: a drawing or an upload. */
export function addPicture(address, origin, representation, parents = []) {
  return add({ kind: 'picture', origin, representation, url: address, parents });
}

/** Hand a file to the server and add it; the promise ends when it is there. */
export async function upload(file, representation) {
  const thing = await sent('/uploadImage', file, file.name || 'picture.png', 'upload', representation);
  tell('picture.upload', {
    object: representation,
    outputs: [pictureHash(thing.url)],
    data: { bytes: file.size, type: file.type },
  });
  return thing;
}

/** Hand a drawing to the server and add it. */
export async function saveDrawing(blob, representation, parents, data) {
  const thing = await sent('/upload', blob, 'drawing.png', 'drawing', representation, parents);
  tell('drawing.save', {
    object: representation,
    inputs: parents.map(pictureHash),
    outputs: [pictureHash(thing.url)],
    data,
  });
  return thing;
}

async function sent(path, file, name, origin, representation, parents = []) {
  const form = new FormData();
  form.append('file', file, name);
  const { url: address } = await api(path, { method: 'POST', body: form });
  return addPicture(address, origin, representation, parents);
}

function add(thing) {
  const whole = { id: uuid(), at: new Date().toISOString(), ...thing };
  store.set(({ own }) => ({ own: [...own, whole] }));
  changed();
  return whole;
}

/** Keep what is own here at once, and on the server in a moment. */
export function changed() {
  const { username, own, task } = store.get();
  if (!username) return;
  keep(`own.${username}`, { own, task });
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE_MS);
}

function workspace() {
  const { own, task, stage } = store.get();
  const designSchemes = {};
  for (const [representation, name] of Object.entries(STAGE_NAMES)) {
    designSchemes[name] = [
      ...(foreign[representation] || []),
      ...own.filter((one) => one.representation === representation).map(schemeOf),
    ];
  }
  return { designSchemes, designTask: task, currentStage: STAGE_NAMES[stage] };
}

async function save() {
  const { username } = store.get();
  const data = workspace();
  const text = JSON.stringify({ ...data, currentStage: '' });
  if (!username || text === savedText) return;
  try {
    await post('/paint/save', { username, data });
    savedText = text;
    tell('state.save', { data: { own: store.get().own.length } });
  } catch (error) {
    if (error.status === 0 || error.status >= 500) timer = setTimeout(save, 10_000);
  }
}

addEventListener('pagehide', () => {
  const { username, isReady } = store.get();
  const data = workspace();
  if (!isReady || !username || JSON.stringify({ ...data, currentStage: '' }) === savedText) return;
  const body = JSON.stringify({ username, data });
  if (body.length < 60_000)
    fetch(url('/paint/save'), {
      method: 'POST',
      keepalive: true,
      body,
      headers: { 'Content-Type': 'application/json' },
    }).catch(() => {});
});

/** What is saved already, so that only a change is saved again. */
export function markSaved() {
  savedText = JSON.stringify({ ...workspace(), currentStage: '' });
}

function schemeOf(thing) {
  const { id, at, kind, origin, parents } = thing;
  return {
    name: '',
    paths: [],
    texts: thing.text ? [thing.text] : [],
    backgroundImageUrl: thing.url || '',
    studio: { id, at, kind, origin, parents },
  };
}

function thingOf(scheme, representation) {
  return { ...scheme.studio, representation, text: scheme.texts?.[0], url: scheme.backgroundImageUrl || undefined };
}
