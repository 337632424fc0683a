// Coming and going: who works here, what they have, what their study allows.
import { get, post } from '../shared/api.js';
import { tell, tellFor } from './events.js';
import { fetchMore } from './jobs.js';
import { keep, recall } from './kept.js';
import { markSaved, changed, restore } from './own.js';
import { empty, store } from './state.js';

const client = () => ({
  user_agent: navigator.userAgent.slice(0, 500),
  language: navigator.language,
  screen: `${screen.width}x${screen.height}`,
});

/** The code of a link that a study gave out; "" without one. */
export const codeOfLink = () => new URLSearchParams(location.search).get('p') || '';

/** Who was here last with this browser; "" when nobody was. */
export const lastName = () => recall('username', '');

/** Who is to be brought in without being asked. */
export const whoComes = () => codeOfLink() || (recall('isHere', false) ? lastName() : '');

/** Bring somebody in: everything they have, and the right to go on. Throws ApiError. */
export async function enter(username) {
  const isGuest = Boolean(codeOfLink());
  store.set({ ...empty(), username, isGuest, operations: store.get().operations });
  const [operations, saved, session] = await Promise.all([
    get('/api/operations'),
    post('/paint/start', { username }),
    sessionOf(username),
    fetchMore(),
  ]);
  store.set({ operations, session });
  const { own, task, isBehind } = restore(saved);
  const draft = recall(`draft.${username}`, {});
  const num = Math.min(draft.num || 2, session?.num_max || Infinity);
  store.set({
    own,
    task: draft.task ?? (task || session?.study?.task || ''),
    num,
    stage: draft.stage || 'brief',
    texts: draft.texts || [],
    picture: draft.picture || null,
    isReady: true,
  });
  if (!isGuest) {
    keep('username', username);
    keep('isHere', true);
  }
  if (isBehind) changed();
  else markSaved();
  if (session) tellFor(username, session.id);
  tell('page.open', {
    data: { stage: store.get().stage, language: document.documentElement.lang, width: innerWidth, height: innerHeight },
  });
}

/** Let go of who works here, so that somebody else can come. */
export function leave() {
  tell('page.close');
  keep('isHere', false);
  location.href = location.pathname;
}

async function sessionOf(username) {
  try {
    return (await post('/api/sessions', { username, client: client() })).session;
  } catch (error) {
    if (error.status === 404 || error.status === 405) return null;
    throw error;
  }
}

let keeping = 0;
/** Keep what is being prepared: the task, the number, what is chosen. */
store.listen(() => {
  const { isReady } = store.get();
  if (!isReady || keeping) return;
  keeping = setTimeout(() => {
    keeping = 0;
    const { username, task, num, stage, texts, picture } = store.get();
    keep(`draft.${username}`, { task, num, stage, texts, picture });
  }, 300);
});
