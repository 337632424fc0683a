// The JSON API, as a page sees it: the envelope is opened, a failure is an ApiError with the server's own sentence.

/** Where the server is below its host; "" unless a proxy puts it under a prefix. */
export const ROOT = document.documentElement.dataset.root || '';

/** What the server (status > 0) or the network (status 0) said instead of an answer. */
export class ApiError extends Error {
  constructor(status, message, code = null, retryAfterS = null) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

/** The address of a path of this server: url('/api/studies'). */
export const url = (path) => ROOT + path;

/** The address of a picture on this server, by any address that the server ever gave out for it; size: longest side. */
export function pictureUrl(address, size = 0) {
  const found = /\/images\/[0-9a-f]{64}\.[a-z]{3,4}/.exec(address || '');
  return found ? `${ROOT}${found[0]}${size ? `?size=${size}` : ''}` : address;
}

/** The hash that names a picture, out of its address. */
export const pictureHash = (address) => /\/images\/([0-9a-f]{64})\./.exec(address || '')?.[1] || '';

/**
 * Ask the API and return the envelope's data.
 *
 * body: a value to send as JSON, or FormData. query: an object; null, undefined and "" are left out.
 * Throws ApiError; an aborted signal throws the browser's AbortError.
 */
export async function api(path, { method = 'GET', body, query, headers = {}, signal, keepalive } = {}) {
  const isForm = body instanceof FormData;
  const sent = body === undefined || isForm ? body : JSON.stringify(body);
  const all = {
    Accept: 'application/json',
    ...(sent === undefined || isForm ? {} : { 'Content-Type': 'application/json' }),
    ...headers,
  };
  let answer;
  try {
    answer = await fetch(url(path) + queryText(query), { method, body: sent, headers: all, signal, keepalive });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, 'the server cannot be reached');
  }
  const envelope = await answer.json().catch(() => null);
  if (answer.ok && envelope && envelope.success !== false) return envelope.data;
  const retryAfter = Number(answer.headers.get('Retry-After')) || null;
  throw new ApiError(answer.status, envelope?.message || answer.statusText, envelope?.code ?? null, retryAfter);
}

export const get = (path, query, more) => api(path, { query, ...more });
export const post = (path, body = {}, more) => api(path, { method: 'POST', body, ...more });
export const patch = (path, body, more) => api(path, { method: 'PATCH', body, ...more });
export const put = (path, body, more) => api(path, { method: 'PUT', body, ...more });
export const remove = (path, more) => api(path, { method: 'DELETE', ...more });

/**
 * Follow server-sent events: handlers by event name, each called with the parsed data and the event.
 *
 * The browser comes back by itself after a cut; `onEnd` is called once when it gives up (204, or closed by us).
 * Returns a function that ends it.
 */
export function follow(path, handlers, onEnd = () => {}) {
  const source = new EventSource(url(path));
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    source.close();
    onEnd();
  };
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (event) => handle(parsed(event.data), event));
  }
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) end();
  });
  return end;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function queryText(query) {
  const given = Object.entries(query || {}).filter(
    ([, value]) => value !== null && value !== undefined && value !== '',
  );
  return given.length ? `?${new URLSearchParams(given)}` : '';
}
