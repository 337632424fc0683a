// Words in Chinese and English. A page brings its own: addWords({ zh: {…}, en: {…} }); t('key', { n: 3 }).
import { useEffect, useState } from '../vendor/preact.js';

const WORDS = { zh: {}, en: {} };
const listeners = new Set();
let lang = document.documentElement.lang.startsWith('zh') ? 'zh' : 'en';

/** Add words; a word is a text with {places}, or a function of the values. */
export function addWords(words) {
  for (const one of Object.keys(WORDS)) Object.assign(WORDS[one], words[one] || {});
}

/** The word for a key in the present language; the key itself when nobody has it. */
export function t(key, values = {}) {
  const word = WORDS[lang][key] ?? WORDS.en[key];
  if (word === undefined) return key;
  if (typeof word === 'function') return word(values);
  return word.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Whether there is a word for a key. */
export const hasWord = (key) => key in WORDS[lang] || key in WORDS.en;

export const getLang = () => lang;

/** Change the language for this page and the next visits. */
export function setLang(next) {
  if (next !== 'zh' && next !== 'en') return;
  lang = next;
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
  try {
    localStorage.setItem('studio.lang', next);
  } catch {
    /* a private window keeps nothing */
  }
  listeners.forEach((listener) => listener(next));
}

/** Draw a component again whenever the language changes; use it in the topmost one. */
export function useLang() {
  const [now, setNow] = useState(lang);
  useEffect(() => {
    listeners.add(setNow);
    return () => listeners.delete(setNow);
  }, []);
  return now;
}

const locale = () => (lang === 'zh' ? 'zh-CN' : 'en-GB');

/** A moment (Date, ISO text or ms) as date and time in the reader's words. */
export function moment(value, options = { dateStyle: 'medium', timeStyle: 'short' }) {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? '' : new Intl.DateTimeFormat(locale(), options).format(date);
}

/** Seconds as "8 s", "2 min 5 s", "1 h 3 min". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return '';
  const [h, min, s] = lang === 'zh' ? [' 小时', ' 分', ' 秒'] : [' h', ' min', ' s'];
  if (seconds < 10) return `${Math.round(seconds * 10) / 10}${s}`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${s}`;
  if (whole < 3600) return `${Math.floor(whole / 60)}${min}${whole % 60 ? ` ${whole % 60}${s}` : ''}`;
  return `${Math.floor(whole / 3600)}${h}${Math.floor((whole % 3600) / 60) ? ` ${Math.floor((whole % 3600) / 60)}${min}` : ''}`;
}

/** A number in the reader's way of writing. */
export const number = (value, options = {}) => new Intl.NumberFormat(locale(), options).format(value);

addWords({
  en: {
    'shared.close': 'Close',
    'shared.cancel': 'Cancel',
    'shared.ok': 'OK',
    'shared.save': 'Save',
    'shared.more': 'More',
    'shared.theme.light': 'Use the light theme',
    'shared.theme.dark': 'Use the dark theme',
    'shared.language': '切换为中文',
    'shared.skip': 'Skip to content',
    'shared.dismiss': 'Dismiss',
    'shared.notifications': 'Notifications',
    'shared.failed.network': 'The server cannot be reached. Check your connection and try again.',
    'shared.failed.login': 'You need to log in for this.',
    'shared.failed.server': 'Something went wrong on the server. Try again in a moment.',
  },
  zh: {
    'shared.close': '关闭',
    'shared.cancel': '取消',
    'shared.ok': '确定',
    'shared.save': '保存',
    'shared.more': '更多',
    'shared.theme.light': '使用浅色主题',
    'shared.theme.dark': '使用深色主题',
    'shared.language': 'Switch to English',
    'shared.skip': '跳到内容',
    'shared.dismiss': '关闭',
    'shared.notifications': '通知',
    'shared.failed.network': '无法连接服务器，请检查网络后重试。',
    'shared.failed.login': '请先登录。',
    'shared.failed.server': '服务器出了点问题，请稍后再试。',
  },
});

/** A sentence for a person about an ApiError; the server's own words where they help. */
export function sentence(error) {
  if (error?.status === 0) return t('shared.failed.network');
  if (error?.status === 401) return t('shared.failed.login');
  if (error?.status === 500) return t('shared.failed.server');
  return error?.message || t('shared.failed.server');
}
