// The list of studies, and laying out a new one.
import { html, useEffect, useState } from '../vendor/preact.js';
import { get, post } from '../shared/api.js';
import { sentence, t } from '../shared/i18n.js';
import { Empty, toast } from '../shared/ui.js';
import { StudyForm, blank } from './form.js';

const KINDS = { draft: '', open: 'badge-success', closed: 'badge-warning' };

/** A small mark that says how a study, or a session, stands. */
export const State = ({ state }) => html`<span class=${`badge ${KINDS[state] || ''}`}>${t(`research.state.${state}`)}</span>`;

export function Studies() {
  const [studies, setStudies] = useState(null);
  const [isNew, setNew] = useState(false);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    get('/api/studies').then((data) => setStudies(data.studies), setProblem);
  }, []);
  const create = async (study) => {
    const made = await post('/api/studies', study);
    location.hash = `#/study/${made.id}`;
  };
  if (isNew) return html`<${StudyForm} study=${blank()} save=${create} cancel=${() => setNew(false)} />`;
  if (problem) return html`<${Empty} icon="warning" title=${sentence(problem)} />`;
  return html`<header class="head">
      <h1>${t('research.studies')}</h1>
      <button type="button" class="button button-primary" onClick=${() => setNew(true)}>${t('research.newStudy')}</button>
    </header>
    ${!studies && html`<div class="skeleton" style="height:160px"></div>`}
    ${studies && !studies.length && html`<${Empty} icon="sparkle" title=${t('research.noStudies')}>${t('research.noStudiesText')}<//>`}
    <ul class="studies">
      ${(studies || []).map((one) => html`<${StudyCard} key=${one.id} study=${one} />`)}
    </ul>`;
}

function StudyCard({ study }) {
  const { counts } = study;
  return html`<li>
    <a class="card card-pad study-card" href=${`#/study/${study.id}`}>
      <span class="study-name">${study.name}</span>
      <span class="row"><${State} state=${study.state} />${study.seal && html`<span class="badge badge-accent">${t('research.frozen')}</span>`}</span>
      <span class="facts">
        <span><b>${counts.sessions}${study.planned ? ` / ${study.planned}` : ''}</b> ${t('research.sessions')}</span>
        <span><b>${counts.generations}</b> ${t('research.made')}</span>
        <span><b>${counts.failed}</b> ${t('research.failed')}</span>
      </span>
    </a>
  </li>`;
}

/** Tell a failure in passing. */
export const failed = (error) => toast(error.message || sentence(error), { kind: 'error' });
