// Preact 11.2.0 with its hooks, and htm 3.1.1 bound to it: one module for all pages. Licences beside this file.
import { h } from './preact-core.js';
import htm from './htm.js';

export * from './preact-core.js';
export * from './preact-hooks.js';
/** JSX without a compiler: html`<div class=${name}>…</div>`. */
export const html = htm.bind(h);
