// Line icons of 20 × 20, drawn for these pages. Decorative: the control around one has the name.
import { html } from '../vendor/preact.js';

const PATHS = {
  add: 'M10 4v12M4 10h12',
  arrow_left: 'M12 4l-6 6 6 6',
  arrow_right: 'M8 4l6 6-6 6',
  again: 'M15.5 6.5A6.5 6.5 0 1 0 16.5 10M16 3v4h-4',
  board: 'M3 4h3.2v12H3zM8.4 4h3.2v8H8.4zM13.8 4H17v10h-3.2z',
  chevron: 'M5 8l5 5 5-5',
  check: 'M4 10.5l4 4 8-9',
  clock: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 6v4l2.6 2',
  close: 'M5 5l10 10M15 5L5 15',
  dice: 'M3 6h3l8 8h3M3 14h3l2.2-2.2M11.8 8.2L14 6h3M15 4l2 2-2 2M15 12l2 2-2 2',
  download: 'M10 3v9M6 8.5l4 4 4-4M4 16.5h12',
  eraser: 'M8 16l-4.5-4.5 7.5-7.5 5 5-7 7zM8 16h8M7 8l5 5',
  expand: 'M11.5 3.5h5v5M16.5 3.5L11 9M8.5 16.5h-5v-5M3.5 16.5L9 11',
  globe: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM3 10h14M10 3c4 4 4 10 0 14M10 3c-4 4-4 10 0 14',
  help: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM8 8a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1v.6M10 14h.01',
  image: 'M3.5 4.5h13v11h-13zM3.5 13l4-4 4 4 2-2 3 3M13 8h.01',
  info: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 9.5V14M10 6.5h.01',
  input: 'M3 10h9M8.5 6.5L12 10l-3.5 3.5M13 4h4v12h-4',
  login: 'M8 4h8v12H8M3 10h8M8 7l3 3-3 3',
  moon: 'M16 11.5A6.5 6.5 0 1 1 8.5 4a5 5 0 0 0 7.5 7.5z',
  note: 'M5 3.5h10v13H5zM7.5 7h5M7.5 10h5M7.5 13h3',
  pen: 'M4 16l1-4 8.5-8.5 3 3L8 15l-4 1zM11.5 5.5l3 3',
  person: 'M10 10a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM4 17c.6-3.4 3-5 6-5s5.4 1.6 6 5',
  redo: 'M16 7H8a4 4 0 0 0 0 8h4M13 4l3 3-3 3',
  sparkle: 'M10 3l1.7 5.3L17 10l-5.3 1.7L10 17l-1.7-5.3L3 10l5.3-1.7z',
  sun: 'M10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM10 2.5v1.5M10 16v1.5M2.5 10H4M16 10h1.5M4.7 4.7l1 1M14.3 14.3l1 1M4.7 15.3l1-1M14.3 5.7l1-1',
  trash: 'M4 6h12M8 6V4h4v2M6 6l.7 10.5h6.6L14 6',
  tree: 'M3 8h4v4H3zM13 3h4v4h-4zM13 13h4v4h-4zM7 10h3M13 5h-3v10h3',
  undo: 'M4 7h8a4 4 0 0 1 0 8H8M7 4L4 7l3 3',
  upload: 'M10 13V4M6 7.5l4-4 4 4M4 16.5h12',
  warning: 'M10 3.5l7.5 13h-15zM10 8.5v3.5M10 14.5h.01',
};

/** Draw an icon by its name. */
export function Icon({ name, size = 20 }) {
  return html`<svg
    class="icon"
    width=${size}
    height=${size}
    viewBox="0 0 20 20"
    aria-hidden="true"
    focusable="false"
    fill="none"
    stroke="currentColor"
    stroke-width="1.6"
    stroke-linecap="round"
    stroke-linejoin="round"
  >
    <path d=${PATHS[name] || ''} />
  </svg>`;
}
