// The participant's steps, told to the server: kept here until it has them, each exactly once.
import { post, url } from '../shared/api.js';
import { uuid } from '../shared/ids.js';
import { keep, keysOf, recall } from './kept.js';
import { store } from './state.js';

const PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 60_000;
const BATCH = 100;
const BEACON_BYTES = 60_000;
const LIMIT = 20_000;
const SHORT = 200;
const MOST_THINGS = 200;
const DATA_BYTES = 15_000;
const pageId = uuid();

let waiting = [];
let key = '';
let seq = 0;
let timer = 0;
let pauseMs = PAUSE_MS;
let isSending = false;

/** Begin to tell for a session; what earlier visits could not tell is told first. */
export function tellFor(username, sessionId) {
  const family = `events.${username}.`;
  if (key.startsWith(family)) return;
  key = family + pageId;
  // Another page that is still open may tell these too; the server counts each of them once.
  const earlier = keysOf(family).flatMap((one) => recall(one, []));
  keysOf(family).forEach((one) => keep(one, null));
  waiting = [...earlier, ...waiting.map((event) => ({ ...event, session_id: event.session_id || sessionId }))];
  keep(key, waiting);
  plan(0);
}

/** Note a step: `verb`, what it was about, and when it was (ms), unless now. Never throws and never waits. */
export function tell(verb, { object, inputs, outputs, generation_id, data, at = Date.now() } = {}) {
  const { session } = store.get();
  const event = {
    id: uuid(),
    verb,
    client_at_ms: at,
    client_seq: ++seq,
    page_id: pageId,
    session_id: session?.id || '',
    ...(object ? { object: short(object) } : {}),
    ...(inputs?.length ? { inputs: inputs.slice(0, MOST_THINGS).map(short) } : {}),
    ...(outputs?.length ? { outputs: outputs.slice(0, MOST_THINGS).map(short) } : {}),
    ...(generation_id ? { generation_id } : {}),
    ...(data === undefined ? {} : { data: fitting(data) }),
  };
  waiting.push(event);
  if (waiting.length > LIMIT) waiting = waiting.slice(-LIMIT);
  if (key) keep(key, waiting);
  plan(PAUSE_MS);
}

/** How many steps the server does not have yet. */
export const untold = () => waiting.length;

/** A text as short as the server takes it, cut between letters. */
const short = (text) => [...String(text)].slice(0, SHORT).join('');

function fitting(data) {
  const text = JSON.stringify(data);
  return text && new TextEncoder().encode(text).length <= DATA_BYTES
    ? data
    : { is_too_long: true, start: (text || '').slice(0, 1000) };
}

function plan(ms) {
  if (timer || isSending || !waiting.length || !store.get().session) return;
  timer = setTimeout(send, ms);
}

function batch(limit = BATCH) {
  const { session } = store.get();
  const id = waiting[0]?.session_id || session?.id;
  return { id, events: waiting.filter((event) => (event.session_id || session?.id) === id).slice(0, limit) };
}

const wire = (events) => ({
  username: store.get().username,
  events: events.map(({ session_id: _, ...event }) => event),
});

async function send() {
  timer = 0;
  const { id, events } = batch();
  if (!id || !events.length) return;
  isSending = true;
  try {
    await post(`/api/sessions/${id}/events`, wire(events));
    drop(events);
    pauseMs = PAUSE_MS;
  } catch (error) {
    // What the server will never take is not sent for ever; whatever may get better is.
    if ([403, 404].includes(error.status)) drop(events);
    else if ([400, 413, 422].includes(error.status)) drop([events[refused(error.message)] || events[0]]);
    else pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
  isSending = false;
  plan(pauseMs);
}

/** Which event of a batch the server does not take: its message names it. */
const refused = (message) => Number(/events\.(\d+)/.exec(message)?.[1] || 0);

function drop(events) {
  const told = new Set(events.map((event) => event.id));
  waiting = waiting.filter((event) => !told.has(event.id));
  keep(key, waiting.length ? waiting : null);
}

/** At the end of a visit: hand over what fits into a beacon. It stays kept, as nobody says whether it arrived. */
function farewell() {
  const { id, events } = batch();
  if (!id || !events.length || !navigator.sendBeacon) return;
  while (events.length && JSON.stringify(wire(events)).length > BEACON_BYTES) events.pop();
  navigator.sendBeacon(
    url(`/api/sessions/${id}/events`),
    new Blob([JSON.stringify(wire(events))], { type: 'text/plain' }),
  );
}

document.addEventListener('visibilitychange', () => {
  if (store.get().isReady) tell(document.hidden ? 'page.hide' : 'page.show');
});
addEventListener('pagehide', () => {
  if (store.get().isReady) tell('page.close');
  farewell();
});
addEventListener('online', () => {
  pauseMs = PAUSE_MS;
  plan(0);
});
