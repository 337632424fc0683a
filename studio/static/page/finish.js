// The end of a participant's session in a study: they say that they are done, and are thanked.
import { html, useState } from '../vendor/preact.js';
import { post } from '../shared/api.js';
import { sentence, t } from '../shared/i18n.js';
import { Dialog, Empty, TopBar, toast } from '../shared/ui.js';
import { tell } from './events.js';
import { store, use } from './state.js';

/** Whether a participant of a study is at work, and so can say that they are done. */
export const canFinish = ({ session }) => Boolean(session && !session.study?.is_default && session.state === 'active');

/** Whether a session is over. */
export const isOver = ({ session }) => Boolean(session && session.state !== 'active');

/** The button in the top bar, which asks once more. */
export function Finish() {
  const isThere = use(canFinish);
  const [isAsking, setAsking] = useState(false);
  if (!isThere) return null;
  const end = async () => {
    const { session, username } = store.get();
    tell('session.end');
    try {
      await post(`/api/sessions/${session.id}/end`, { username });
      store.set({ session: { ...session, state: 'completed' } });
    } catch (error) {
      setAsking(false);
      toast(sentence(error), { kind: 'error' });
    }
  };
  const close = () => setAsking(false);
  const footer = html`<button type="button" class="button" onClick=${close}>${t('finish.stay')}</button
    ><button type="button" class="button button-primary" onClick=${end}>${t('finish.yes')}</button>`;
  return html`<button type="button" class="button button-small" onClick=${() => setAsking(true)}>
      ${t('finish.button')}
    </button>
    ${isAsking && html`<${Dialog} title=${t('finish.title')} onClose=${close} footer=${footer}><p>${t('finish.text')}</p><//>`}`;
}

/** What stands there when the session is over. */
export function Thanks() {
  const isWithdrawn = use((state) => state.session.state === 'withdrawn');
  const title = t(isWithdrawn ? 'finish.withdrawn' : 'finish.thanks');
  return html`<${TopBar} title="StepIdeator" />
    <main id="content" class="arriving">
      <h1 class="visually-hidden">${title}</h1>
      <${Empty} icon="check" title=${title}>${t('finish.close')}<//>
    </main>`;
}
