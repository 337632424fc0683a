// One small store of plain values, and a hook that draws a component again when what it selects has changed.
import { useEffect, useLayoutEffect, useReducer, useRef } from '../vendor/preact.js';

/** Hold a state; `set` takes a patch, or a function from the state to one. */
export function createStore(initial) {
  let state = initial;
  const listeners = new Set();
  return {
    get: () => state,
    set(patch) {
      const next = typeof patch === 'function' ? patch(state) : patch;
      if (!next) return;
      state = { ...state, ...next };
      listeners.forEach((listener) => listener());
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What a component selects of a store; it is drawn again only when that differs. */
export function useStore(store, select = (state) => state, isEqual = isSame) {
  const [, draw] = useReducer((count) => count + 1, 0);
  const held = useRef();
  const selector = useRef(select);
  selector.current = select;
  const now = select(store.get());
  if (!isEqual(held.current, now)) held.current = now;
  useLayoutEffect(
    () =>
      store.listen(() => {
        if (!isEqual(held.current, selector.current(store.get()))) draw();
      }),
    [store],
  );
  return held.current;
}

/** Equal, or lists of equal things. */
export function isSame(one, other) {
  if (Object.is(one, other)) return true;
  return (
    Array.isArray(one) &&
    Array.isArray(other) &&
    one.length === other.length &&
    one.every((item, i) => Object.is(item, other[i]))
  );
}

/** Hear an event of the window while the component is there; always with the newest handler. */
export function useWindowEvent(name, handle) {
  const newest = useRef(handle);
  newest.current = handle;
  useEffect(() => {
    const hear = (event) => newest.current(event);
    addEventListener(name, hear);
    return () => removeEventListener(name, hear);
  }, [name]);
}
