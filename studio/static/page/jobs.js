// Generations: fetch pages of them, submit, follow, cancel, repeat.
import { follow, get, pictureHash, post } from '../shared/api.js';
import { duration, sentence, t } from '../shared/i18n.js';
import { uuid } from '../shared/ids.js';
import { announce, toast } from '../shared/ui.js';
import { failureSentence } from './failures.js';
import { expected, hasEnded, requestOf } from './model.js';
import { store } from './state.js';
import { tell } from './events.js';

const PAGE = 24;
const WHOLE_PAGE = 200;
const MOST_STREAMS = 3;
const LOOK_MS = 1500;
const SEEDS = 2 ** 32;

const streams = new Map();
let looking = 0;

/** Fetch the next page of what was made before; the first one when there is none yet. */
export async function fetchMore(limit = PAGE) {
  const { username, next, order, isLoading } = store.get();
  if (isLoading || (order.length && !next)) return;
  store.set({ isLoading: true });
  try {
    const page = await get('/api/generations', { username, limit, cursor: next });
    take(page.generations);
    store.set({ next: page.next });
  } finally {
    store.set({ isLoading: false });
  }
}

/** Fetch what there is, up to so many generations; for the tree. */
export async function fetchMany(most = 600) {
  while (store.get().next && store.get().order.length < most) {
    const before = store.get().next;
    await fetchMore(WHOLE_PAGE);
    if (store.get().next === before) await new Promise((done) => setTimeout(done, 200));
  }
}

/** Run an operation on what is chosen now. */
export async function run(operation) {
  const state = store.get();
  const body = requestOf(operation, state);
  const marked = markedOnce();
  await submitted(() => post('/api/generations', body, marked), 'generation.submit', {
    object: operation.name,
    inputs: [...body.images.map(pictureHash), ...body.texts],
    data: { num: body.num },
  });
}

/** Run a generation once more: as it was, or with another seed. */
export async function again(job, { isVariation = false, isRetry = false } = {}) {
  const body = isVariation ? { seed: Math.floor(Math.random() * SEEDS) } : {};
  const marked = markedOnce();
  const verb = isRetry ? 'generation.retry' : 'generation.submit';
  await submitted(() => post(`/api/generations/${job.id}/rerun`, body, marked), verb, {
    object: job.operation,
    data: { of: job.id, how: isVariation ? 'variation' : isRetry ? 'retry' : 'again' },
  });
}

/** A header that makes sending the same thing again harmless: the server answers with the job of the first time. */
const markedOnce = () => ({ headers: { 'Idempotency-Key': uuid() } });

async function submitted(send, verb, about) {
  const at = Date.now();
  try {
    const job = await send().catch(async (error) => {
      // The line was cut, or the end of what is to be repeated is not written yet: once more is harmless.
      if (error.status !== 0 && error.status !== 409) throw error;
      await new Promise((done) => setTimeout(done, 1000));
      return send();
    });
    take([job]);
    tell(verb, { ...about, generation_id: job.id, at });
    announce(t('say.started', { what: t(`op.${job.operation}`) }));
  } catch (error) {
    const message = refusal(error);
    toast(message, { kind: 'error' });
    tell('error.shown', { object: about.object, data: { status: error.status, message: error.message } });
  }
}

/** A sentence about a generation that the server did not take. */
function refusal(error) {
  if (error.status === 429) return t('busy.queue', { time: duration(error.retryAfterS || 10) });
  if (error.status === 403) return t('refused.allowed');
  if (error.status === 409) return t('refused.now');
  return sentence(error);
}

/** Cancel a generation. */
export async function cancel(job) {
  tell('generation.cancel', { object: job.operation, generation_id: job.id });
  try {
    take([await post(`/api/generations/${job.id}/cancel`)]);
  } catch (error) {
    toast(sentence(error), { kind: 'error' });
  }
}

/** Take jobs into the state; those under way are watched until they end. */
export function take(found) {
  const ended = [];
  store.set(({ jobs, order }) => {
    const next = { ...jobs };
    for (const job of found) {
      const before = jobs[job.id];
      if (before && hasEnded(before) && !hasEnded(job)) continue;
      next[job.id] = { ...before, ...job, heard_at: performance.now() };
      if (before && !hasEnded(before) && hasEnded(job)) ended.push(job);
    }
    const ids = [...new Set([...order, ...found.map((job) => job.id)])];
    return { jobs: next, order: ids.sort((a, b) => (next[a].created_at < next[b].created_at ? 1 : -1)) };
  });
  ended.forEach(tellEnd);
  watch();
}

function watch() {
  const { jobs, order } = store.get();
  const running = order.filter((id) => !hasEnded(jobs[id]));
  for (const id of running) {
    if (!streams.has(id) && streams.size < MOST_STREAMS) streams.set(id, stream(id));
  }
  // A browser opens only six connections to a server; what has no stream is asked for together.
  if (!looking && running.some((id) => !streams.has(id))) looking = setTimeout(look, LOOK_MS);
}

async function look() {
  looking = 0;
  const { username, jobs, order } = store.get();
  const running = order.filter((id) => !hasEnded(jobs[id]) && !streams.has(id));
  try {
    const page = await get('/api/generations', {
      username,
      limit: Math.min(order.indexOf(running[running.length - 1]) + 5, WHOLE_PAGE) || 5,
    });
    take(page.generations.filter((job) => running.includes(job.id)));
  } catch {
    /* the next look may succeed */
  }
  watch();
}

function stream(id) {
  const heard = (event) => {
    const job = store.get().jobs[id];
    if (!event?.job || !job) return;
    if (event.type === 'output') tellOutput(job, event.job);
    // The last event does not tell all; the job itself does.
    const { state, ...rest } = event.job;
    store.set(({ jobs }) => ({
      jobs: {
        ...jobs,
        [id]: { ...jobs[id], ...rest, ...(hasEnded(event.job) ? {} : { state }), heard_at: performance.now() },
      },
    }));
    if (hasEnded(event.job)) end();
  };
  const end = follow(
    `/api/generations/${id}/events`,
    { state: heard, step: heard, output: heard, progress: heard },
    async () => {
      const job = await get(`/api/generations/${id}`).catch(() => null);
      if (job) take([job]);
      // A stream that was cut, and not ended, is not opened again at once.
      if (!job || !hasEnded(job)) await new Promise((done) => setTimeout(done, LOOK_MS));
      streams.delete(id);
      watch();
    },
  );
  return end;
}

function tellOutput(job, now) {
  const total = expected(job, store.get().operations).pictures;
  const n = now.outputs.filter((one) => one.kind === 'image').length;
  if (n && total > 1 && n < total) announce(t('say.picture', { what: t(`op.${job.operation}`), n, total }));
}

function tellEnd(job) {
  const what = t(`op.${job.operation}`);
  if (job.state === 'succeeded') announce(t('say.done', { what }));
  if (job.state === 'canceled') announce(t('say.canceled', { what }));
  if (job.state === 'failed') announce(t('say.failed', { what, why: failureSentence(job.error) }));
  tell('generation.shown', {
    object: job.operation,
    generation_id: job.id,
    data: { state: job.state, outputs: job.outputs.length },
    outputs: job.outputs.filter((one) => one.kind === 'image').map((one) => pictureHash(one.url)),
  });
  if (job.state === 'failed') tell('error.shown', { object: job.error?.type, generation_id: job.id });
}
