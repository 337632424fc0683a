// What follows from what the server told: pure functions, no page, no network.
import { pictureHash } from '../shared/api.js';

const ENDED = new Set(['succeeded', 'failed', 'canceled']);
const VIEWS = 6;

export const hasEnded = (job) => ENDED.has(job.state);
export const representationOf = (operation) => operation.split('.')[0];

/** What a generation will give: how many cards and pictures, by the table of operations. */
export function expected(job, operations) {
  const answers =
    operations.find((one) => one.name === job.operation)?.answers ||
    (job.operation.startsWith('brief') ? 'texts' : 'images');
  if (answers === 'texts') return { cards: job.inputs.num, pictures: 0 };
  if (answers === 'views') return { cards: 0, pictures: VIEWS };
  return { cards: answers === 'card and images' ? 1 : 0, pictures: job.inputs.num };
}

/** One place for each picture of a generation: what is there already, or how far the rest is. */
export function places(job, operations) {
  const { cards, pictures } = expected(job, operations);
  const there = new Map(job.outputs.filter((one) => one.kind === 'image').map((one) => [one.index, one]));
  const count = hasEnded(job) ? 0 : pictures;
  const indexes = [...new Set([...Array.from({ length: count }, (_, i) => i + cards), ...there.keys()])].sort(
    (a, b) => a - b,
  );
  const share = pictures ? there.size / pictures : 0;
  const rest = share < 1 ? Math.min(Math.max((job.progress - share) / (1 - share), 0), 1) : 1;
  return indexes.map((index) => ({ index, url: there.get(index)?.url || null, progress: there.has(index) ? 1 : rest }));
}

/** A card's JSON text as data; a plain text stays one. */
export function cardOf(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === 'object' ? value : String(text);
  } catch {
    return text;
  }
}

/** Every string of a card, from top to bottom. */
export function stringsOf(value) {
  if (typeof value === 'string') return value.trim() ? [value] : [];
  if (typeof value === 'number') return [String(value)];
  if (Array.isArray(value)) return value.flatMap(stringsOf);
  return value && typeof value === 'object' ? Object.values(value).flatMap(stringsOf) : [];
}

/**
 * Why an operation cannot be used now, as [key, values] of a word; null when it can.
 *
 * The rules are those of `needs` and `stages` in GET /api/operations.
 */
export function hindrance(operation, { task, texts, picture }) {
  const needs = operation.needs;
  if (needs === 'texts' && !texts.length) return ['why.texts', {}];
  if (needs === 'canvas' && !picture) return ['why.picture', {}];
  if (needs === 'canvas or texts' && !picture && !texts.length) return ['why.picture_or_texts', {}];
  if (
    needs.includes('canvas') &&
    picture &&
    operation.stages.length &&
    !operation.stages.includes(picture.representation)
  ) {
    return ['why.stage', { wanted: operation.stages, is: picture.representation }];
  }
  if (!task.trim()) return ['why.task', {}];
  return null;
}

/** What is sent to the server for an operation. */
export function requestOf(operation, { username, task, num, texts, picture }) {
  const takesPicture = operation.needs.includes('canvas') && picture;
  return {
    username,
    operation: operation.name,
    task: task.trim(),
    num,
    texts,
    images: takesPicture ? [picture.url] : [],
    ...(takesPicture && picture.representation !== 'brief' ? { stage: picture.representation } : {}),
  };
}

/**
 * Which thing came from which: nodes for generations and for own things, oldest first, each with `parents`.
 *
 * A picture is known by its hash, a text by its words; what was there last before counts. A repeated generation hangs
 * below the one that it repeats.
 */
export function lineage(jobs, own) {
  const things = [
    ...jobs.map((job) => ({ id: job.id, at: job.created_at, representation: representationOf(job.operation), job })),
    ...own.map((thing) => ({ id: thing.id, at: thing.at, representation: thing.representation, own: thing })),
  ].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const pictures = new Map();
  const texts = new Map();
  return things.map((thing) => {
    const { job } = thing;
    const usedPictures = job ? job.inputs.images : thing.own.parents || [];
    const usedTexts = job ? job.inputs.texts : [];
    const found = [
      job?.rerun_of,
      ...usedPictures.map((address) => pictures.get(pictureHash(address))),
      ...usedTexts.map((text) => texts.get(text)),
    ];
    const parents = [...new Set(found.filter((id) => id && id !== thing.id))];
    for (const output of job ? job.outputs : []) {
      if (output.kind === 'image') pictures.set(pictureHash(output.url), thing.id);
      else for (const text of [output.text, ...stringsOf(cardOf(output.text))]) texts.set(text, thing.id);
    }
    if (thing.own?.url) pictures.set(pictureHash(thing.own.url), thing.id);
    if (thing.own?.text) texts.set(thing.own.text, thing.id);
    return { ...thing, parents, isRepeat: Boolean(job?.rerun_of) };
  });
}

/**
 * Where each node of a lineage stands: columns by depth, rows by descent; newest families on top.
 *
 * What came from nothing and led to nothing stands below them, side by side.
 */
export function layout(nodes, leastColumns = 4) {
  const known = new Set(nodes.map((node) => node.id));
  const used = new Set(nodes.flatMap((node) => node.parents));
  const children = new Map(nodes.map((node) => [node.id, []]));
  const roots = [];
  for (const node of nodes) {
    const parent = node.parents.find((id) => known.has(id));
    if (parent) children.get(parent).push(node);
    else roots.push(node);
  }
  const placed = [];
  let row = 0;
  const place = (node, depth) => {
    const spot = { node, depth, row: 0, parent: null };
    placed.push(spot);
    const below = children.get(node.id).map((child) => place(child, depth + 1));
    below.forEach((child) => {
      child.parent = spot;
    });
    spot.row = below.length ? (below[0].row + below[below.length - 1].row) / 2 : row++;
    return spot;
  };
  const last = newestBelow(nodes, children);
  const newestFirst = (a, b) => (last.get(a.id) < last.get(b.id) ? 1 : -1);
  const isSingle = (node) => !children.get(node.id).length && !used.has(node.id);
  roots
    .filter((node) => !isSingle(node))
    .sort(newestFirst)
    .forEach((root) => place(root, 0));
  const columns = Math.max(leastColumns, ...placed.map((spot) => spot.depth + 1));
  const singles = roots.filter(isSingle).sort(newestFirst);
  singles.forEach((node, i) =>
    placed.push({ node, depth: i % columns, row: row + Math.floor(i / columns), parent: null }),
  );
  return {
    placed,
    rows: row + Math.ceil(singles.length / columns),
    depth: Math.max(0, ...placed.map((spot) => spot.depth)),
  };
}

/** When the newest of each node's descendants, or itself, was made. */
function newestBelow(nodes, children) {
  const last = new Map();
  for (const node of [...nodes].reverse()) {
    last.set(
      node.id,
      children.get(node.id).reduce((at, child) => (last.get(child.id) > at ? last.get(child.id) : at), node.at),
    );
  }
  return last;
}
