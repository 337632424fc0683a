// The login of researchers.
import { html, render, useState } from '../vendor/preact.js';
import { post } from '../shared/api.js';
import { sentence, t, useLang } from '../shared/i18n.js';
import { Icon, Toasts, TopBar } from '../shared/ui.js';
import './words.js';

function Login() {
  useLang();
  const [problem, setProblem] = useState('');
  const send = async (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    try {
      await post('/api/login', { login: form.get('login'), password: form.get('password') });
      location.href = 'research';
    } catch (error) {
      setProblem(error.message || sentence(error));
    }
  };
  return html`<${TopBar} title="StepIdeator" />
    <main class="page-main login" id="content">
      <form class="card card-pad stack" onSubmit=${send}>
        <h1>${t('research.login')}</h1>
        ${problem && html`<p class="banner banner-danger" role="alert"><${Icon} name="warning" />${problem}</p>`}
        <div class="field">
          <label for="login">${t('research.loginName')}</label>
          <input class="input" id="login" name="login" autocomplete="username" required />
        </div>
        <div class="field">
          <label for="password">${t('research.password')}</label>
          <input class="input" id="password" name="password" type="password" autocomplete="current-password" required />
        </div>
        <button class="button button-primary" type="submit">${t('research.login')}</button>
        <p class="field-hint">${t('research.loginHint')}</p>
      </form>
    </main>
    <${Toasts} />`;
}

render(html`<${Login} />`, document.getElementById('app'));
