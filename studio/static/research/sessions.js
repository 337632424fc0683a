// The sessions of a study, as they go on.
import { html, useEffect, useState } from '../vendor/preact.js';
import { follow, get } from '../shared/api.js';
import { duration, moment, t } from '../shared/i18n.js';
import { Empty } from '../shared/ui.js';
import { failed } from './studies.js';

const STATES = ['active', 'completed', 'withdrawn'];

export function SessionsTable({ study }) {
  const [rows, setRows] = useState(null);
  const [next, setNext] = useState(null);
  const [state, setState] = useState('');
  const [condition, setCondition] = useState('');
  const page = (before) => get(`/api/studies/${study.id}/sessions`, { state, condition, before, limit: 50 });
  useEffect(() => {
    page().then((data) => {
      setRows(data.sessions);
      setNext(data.next);
    }, failed);
  }, [state, condition]);
  useEffect(
    () =>
      follow(`/api/studies/${study.id}/live`, {
        session: (row) =>
          row && setRows((all) => {
            const known = (all || []).some((one) => one.id === row.id);
            return known ? all.map((one) => (one.id === row.id ? row : one)) : [row, ...(all || [])];
          }),
      }),
    [],
  );
  const more = () => page(next).then((data) => {
    setRows([...rows, ...data.sessions]);
    setNext(data.next);
  }, failed);
  const name = (id) => study.conditions.find((one) => one.id === id)?.name || id;
  const seen = (rows || []).filter((row) => (!state || row.state === state) && (!condition || row.condition_id === condition));
  if (!rows) return html`<div class="skeleton" style="height:120px"></div>`;
  return html`<div class="row filters">
      <select class="select" aria-label=${t('research.state')} onChange=${(event) => setState(event.target.value)}>
        <option value="">${t('research.anyState')}</option>
        ${STATES.map((one) => html`<option value=${one}>${t(`research.state.${one}`)}</option>`)}
      </select>
      <select class="select" aria-label=${t('research.condition')} onChange=${(event) => setCondition(event.target.value)}>
        <option value="">${t('research.anyCondition')}</option>
        ${study.conditions.map((one) => html`<option value=${one.id}>${one.name}</option>`)}
      </select>
    </div>
    ${!seen.length && html`<${Empty} icon="user" title=${t('research.noSessions')} />`}
    ${seen.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label=${t('research.sessions')}><table class="table">
      <thead><tr>${['number', 'condition', 'state', 'stage', 'made', 'failed', 'waited', 'started', 'last'].map((key) => html`<th scope="col">${t(`research.${key}`)}</th>`)}</tr></thead>
      <tbody>${seen.map((row) => html`<tr key=${row.id}>
        <td><a href=${`#/session/${row.id}`}>${row.number || row.participant.slice(-6)}</a></td>
        <td>${name(row.condition_id)}</td>
        <td>${t(`research.state.${row.state}`)} ${row.is_live && html`<span class="badge badge-success">${t('research.live')}</span>`}</td>
        <td>${row.stage || ''}</td><td class="number">${row.generations}</td><td class="number">${row.failed}</td>
        <td class="number">${duration(row.waiting_s)}</td><td>${moment(row.started_at)}</td><td>${row.last_event_at ? moment(row.last_event_at) : ''}</td>
      </tr>`)}</tbody>
    </table></div>`}
    ${next && html`<button type="button" class="button" onClick=${more}>${t('research.more')}</button>`}`;
}
