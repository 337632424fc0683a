// What this browser keeps, by key. Without a place to keep things the page works all the same.

/** Read a value; `otherwise` when there is none. */
export function recall(key, otherwise = null) {
  try {
    const text = localStorage.getItem(`studio.${key}`);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

/** Keep a value; null forgets it. Returns whether it could be kept. */
export function keep(key, value) {
  try {
    if (value === null) localStorage.removeItem(`studio.${key}`);
    else localStorage.setItem(`studio.${key}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** The keys that begin so. */
export function keysOf(beginning) {
  try {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(`studio.${beginning}`));
    return names.map((name) => name.slice('studio.'.length));
  } catch {
    return [];
  }
}
