// What every page needs: dialogs, toasts, the live region, the switches for theme and language.
import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { getLang, setLang, t } from './i18n.js';
import { Icon } from './icons.js';
import { uuid } from './ids.js';

export { Icon };

/** Join class names, leaving out what is false. */
export const classes = (...names) => names.filter(Boolean).join(' ');

/** A button of only an icon, with a name for everybody who cannot see it (and as its tooltip). */
export function IconButton({ icon, label, class: own, size, ...more }) {
  return html`<button type="button" class=${classes('icon-button', own)} aria-label=${label} title=${label} ...${more}>
    <${Icon} name=${icon} size=${size || 20} />
  </button>`;
}

/**
 * A modal dialog: the browser's own, which keeps the focus in and gives it back.
 *
 * Draw it while it is open: isOpen && html`<${Dialog} title="…" onClose=${close}>…<//>`.
 */
export function Dialog({ title, onClose, children, class: own, hideTitle = false, footer = null }) {
  const box = useRef(null);
  const id = useRef(`dialog-${uuid()}`).current;
  useEffect(() => {
    const before = document.activeElement;
    box.current.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const onCancel = (event) => {
    event.preventDefault();
    if (event.target === box.current) onClose();
  };
  const onPress = (event) => {
    if (event.target === box.current) onClose();
  };
  return html`<dialog
    ref=${box}
    class=${classes('dialog', own)}
    aria-labelledby=${id}
    onCancel=${onCancel}
    onPointerDown=${onPress}
  >
    <div class="dialog-box">
      <header class=${classes('dialog-head', hideTitle && 'dialog-head-bare')}>
        <h2 id=${id} class=${hideTitle ? 'visually-hidden' : ''}>${title}</h2>
        <${IconButton} icon="close" label=${t('shared.close')} onClick=${onClose} />
      </header>
      <div class="dialog-body">${children}</div>
      ${footer && html`<footer class="dialog-foot">${footer}</footer>`}
    </div>
  </dialog>`;
}

let showToast = () => {};
let announceIn = () => {};

/** Tell something in passing. kind: "info", "success" or "error"; action: { label, run }. */
export function toast(message, { kind = 'info', action = null, seconds = kind === 'error' ? 10 : 4 } = {}) {
  showToast({ id: uuid(), message, kind, action, seconds });
}

/** Let screen readers say something, without showing it. */
export const announce = (message) => announceIn(message);

/** Put this once into a page: it shows toasts and holds the live region of announce(). */
export function Toasts() {
  const [toasts, setToasts] = useState([]);
  const [said, setSaid] = useState('');
  const drop = (id) => setToasts((all) => all.filter((one) => one.id !== id));
  useEffect(() => {
    showToast = (one) => {
      setToasts((all) => [...all.filter((other) => other.message !== one.message).slice(-2), one]);
      setTimeout(() => drop(one.id), one.seconds * 1000);
    };
    announceIn = setSaid;
    return () => {
      showToast = announceIn = () => {};
    };
  }, []);
  return html`<div class="visually-hidden" role="status" aria-live="polite" data-announcer>${said}</div>
    <div class="toasts" role="region" aria-label=${t('shared.notifications')} aria-live="polite">
      ${toasts.map(
        (one) =>
          html`<div key=${one.id} class=${`toast toast-${one.kind}`}>
            <${Icon} name=${one.kind === 'error' ? 'warning' : one.kind === 'success' ? 'check' : 'info'} />
            <span>${one.message}</span>
            ${
              one.action &&
              html`<button
                type="button"
                class="button button-quiet"
                onClick=${() => {
                  drop(one.id);
                  one.action.run();
                }}
              >
                ${one.action.label}
              </button>`
            }
            <${IconButton} icon="close" size=${16} label=${t('shared.dismiss')} onClick=${() => drop(one.id)} />
          </div>`,
      )}
    </div>`;
}

/** Switch between the two languages; its name is in the other language. */
export function LanguageSwitch() {
  const other = getLang() === 'zh' ? 'en' : 'zh';
  return html`<button
    type="button"
    class="button button-quiet language"
    lang=${other === 'zh' ? 'zh-CN' : 'en'}
    aria-label=${t('shared.language')}
    title=${t('shared.language')}
    onClick=${() => setLang(other)}
  >
    <${Icon} name="globe" /><span aria-hidden="true">${other === 'zh' ? '中文' : 'EN'}</span>
  </button>`;
}

const systemDark = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (document.documentElement.dataset.theme || (systemDark.matches ? 'dark' : 'light')) === 'dark';

/** Switch between the light and the dark theme; without it the page follows the system. */
export function ThemeSwitch() {
  const [dark, setDark] = useState(isDark);
  useEffect(() => {
    const look = () => setDark(isDark());
    systemDark.addEventListener('change', look);
    return () => systemDark.removeEventListener('change', look);
  }, []);
  const turn = () => {
    const next = dark ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem('studio.theme', next);
    } catch {
      /* a private window keeps nothing */
    }
    setDark(!dark);
  };
  return html`<${IconButton}
    icon=${dark ? 'sun' : 'moon'}
    label=${t(dark ? 'shared.theme.light' : 'shared.theme.dark')}
    onClick=${turn}
  />`;
}

/** The bar on top of a page: brand at the left, children in the middle, switches at the right. */
export function TopBar({ title, href = null, children, end = null }) {
  const brand = html`<span class="brand-mark" aria-hidden="true"><${Icon} name="sparkle" /></span
    ><span class="brand-name">${title}</span>`;
  return html`<header class="top-bar">
    ${href ? html`<a class="brand" href=${href}>${brand}</a>` : html`<span class="brand">${brand}</span>`}
    <div class="top-bar-middle">${children}</div>
    <div class="top-bar-end">${end}<${LanguageSwitch} /><${ThemeSwitch} /></div>
  </header>`;
}

/** A bar that fills; value from 0 to 1, or null while nobody knows. */
export function Progress({ value, label }) {
  const known = value !== null && value !== undefined;
  const percent = known ? Math.round(Math.min(Math.max(value, 0), 1) * 100) : undefined;
  return html`<div
    class=${classes('progress', !known && 'progress-unknown')}
    role="progressbar"
    aria-label=${label}
    aria-valuemin="0"
    aria-valuemax="100"
    aria-valuenow=${percent}
  >
    <span style=${known ? `width:${percent}%` : ''}></span>
  </div>`;
}

/** What stands where nothing is yet: says what this is and what to do. */
export function Empty({ icon = 'sparkle', title, children }) {
  return html`<div class="empty">
    <span class="empty-mark"><${Icon} name=${icon} size=${28} /></span>
    <p class="empty-title">${title}</p>
    ${children && html`<div class="empty-text">${children}</div>`}
  </div>`;
}
