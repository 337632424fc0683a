// Runs before the first paint, so that nobody sees the wrong theme or language for a moment.
(function () {
  const root = document.documentElement;
  const read = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const theme = read('studio.theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  const lang = read('studio.lang') || ((navigator.language || '').toLowerCase().startsWith('zh') ? 'zh' : 'en');
  root.lang = lang === 'zh' ? 'zh-CN' : 'en';
})();
