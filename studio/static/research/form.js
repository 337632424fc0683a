// Laying out a study: its conditions, and what holds in each.
import { html, useEffect, useState } from '../vendor/preact.js';
import { get } from '../shared/api.js';
import { sentence, t } from '../shared/i18n.js';
import { Icon } from '../shared/ui.js';

const NO_HOLD = { kind: 'none', seconds: null, low: null, high: null, mean: null, sd: null, min: null, max: null };
const FIELDS = { none: [], fixed: ['seconds'], uniform: ['low', 'high'], normal: ['mean', 'sd', 'min', 'max'] };

const condition = (id, name) => ({ id, name, description: '', allowed: null, assistant: true, checkpoint: null, num_max: null, hold: { ...NO_HOLD } });

/** A study before anything is said of it. */
export const blank = () => ({ name: '', description: '', task: '', consent_text: '', planned: null, drift_policy: 'refuse', conditions: [condition('a', 'A')] });

/** What of a study is sent. */
export const sent = ({ name, description, task, consent_text, planned, drift_policy, conditions }) => ({ name, description, task, consent_text, planned, drift_policy, conditions });

const number = (text) => (text === '' ? null : Number(text));

export function StudyForm({ study, save, cancel }) {
  const [own, setOwn] = useState(sent(study));
  const [problem, setProblem] = useState('');
  const [known, setKnown] = useState({ operations: [], checkpoints: [] });
  useEffect(() => {
    Promise.all([get('/api/operations'), get('/api/pool').catch(() => ({ instances: [] }))]).then(
      ([operations, pool]) => setKnown({ operations, checkpoints: [...new Set(pool.instances.map((one) => one.checkpoint).filter(Boolean))] }),
      (error) => setProblem(error.message || sentence(error)),
    );
  }, []);
  const set = (changes) => setOwn({ ...own, ...changes });
  const setCondition = (place, changes) => set({ conditions: own.conditions.map((one, at) => (at === place ? { ...one, ...changes } : one)) });
  const send = async (event) => {
    event.preventDefault();
    try {
      await save(own);
    } catch (error) {
      // Somebody else's change is shown first: the old text under the new revision would undo it.
      if (error.now) setOwn(sent(error.now));
      setProblem(error.status === 409 ? t('research.conflict') : error.message || sentence(error));
      document.getElementById('content').scrollIntoView();
    }
  };
  const add = () => {
    const taken = own.conditions.map((one) => one.id);
    const id = [...'abcdefghijklmnopqrstuvwxyz'].find((letter) => !taken.includes(letter)) || `c${taken.length + 1}`;
    set({ conditions: [...own.conditions, condition(id, id.toUpperCase())] });
  };
  return html`<form class="stack" onSubmit=${send}>
    <h1>${own.name || t('research.newStudy')}</h1>
    ${problem && html`<p class="banner banner-danger" role="alert"><${Icon} name="warning" />${problem}</p>`}
    <div class="card card-pad stack">
      <${Line} id="name" label=${t('research.name')} value=${own.name} set=${(name) => set({ name })} required />
      <${Area} id="description" label=${t('research.description')} value=${own.description} set=${(description) => set({ description })} />
      <${Area} id="task" label=${t('research.task')} value=${own.task} set=${(task) => set({ task })} />
      <${Area} id="consent" label=${t('research.consent')} value=${own.consent_text} set=${(consent_text) => set({ consent_text })} />
      <div class="field"><label for="drift">${t('research.drift')}</label><select class="select" id="drift" onChange=${(event) => set({ drift_policy: event.target.value })}>
        ${['refuse', 'record'].map((policy) => html`<option value=${policy} selected=${policy === own.drift_policy}>${t(`research.drift.${policy}`)}</option>`)}</select></div>
      <${Line} id="planned" type="number" label=${t('research.planned')} value=${own.planned ?? ''} set=${(text) => set({ planned: number(text) })} />
    </div>
    <h2>${t('research.conditions')}</h2>
    ${own.conditions.map((one, place) => html`<${ConditionForm} key=${place} place=${place} one=${one} known=${known} set=${(changes) => setCondition(place, changes)}
      remove=${own.conditions.length > 1 ? () => set({ conditions: own.conditions.filter((_, at) => at !== place) }) : null} />`)}
    <div class="row">
      <button type="button" class="button" onClick=${add}>${t('research.addCondition')}</button>
      <span class="push"></span>
      <button type="button" class="button button-quiet" onClick=${cancel}>${t('research.cancel')}</button>
      <button type="submit" class="button button-primary">${t('research.save')}</button>
    </div>
  </form>`;
}

function ConditionForm({ place, one, known, set, remove }) {
  const id = (name) => `c${place}-${name}`;
  const names = known.operations.map((row) => row.name);
  const toggle = (name) => {
    const now = one.allowed || names;
    const next = now.includes(name) ? now.filter((other) => other !== name) : names.filter((other) => other === name || now.includes(other));
    set({ allowed: next.length === names.length ? null : next });
  };
  return html`<fieldset class="card card-pad stack condition">
    <legend class="visually-hidden">${t('research.condition')} ${one.name}</legend>
    <div class="columns">
      <${Line} id=${id('name')} label=${t('research.name')} value=${one.name} set=${(name) => set({ name })} required />
      <${Line} id=${id('id')} label=${t('research.conditionId')} value=${one.id} set=${(value) => set({ id: value })} required pattern="[a-z0-9][a-z0-9_-]*" />
      <${Line} id=${id('num')} type="number" label=${t('research.numMax')} value=${one.num_max ?? ''} set=${(text) => set({ num_max: number(text) })} />
      <div class="field">
        <label for=${id('checkpoint')}>${t('research.checkpoint')}</label>
        <input class="input" id=${id('checkpoint')} list=${id('list')} value=${one.checkpoint || ''} placeholder=${t('research.checkpointHint')} onInput=${(event) => set({ checkpoint: event.target.value || null })} />
        <datalist id=${id('list')}>${known.checkpoints.map((name) => html`<option value=${name}></option>`)}</datalist>
      </div>
    </div>
    <label class="check"><input type="checkbox" checked=${one.assistant} onChange=${(event) => set({ assistant: event.target.checked })} />${t('research.assistant')}</label>
    ${one.assistant && html`<fieldset class="operations"><legend>${t('research.allowed')}</legend>
      ${names.map((name) => html`<label class="check" key=${name}><input type="checkbox" checked=${!one.allowed || one.allowed.includes(name)} onChange=${() => toggle(name)} />${name}</label>`)}
    </fieldset>`}
    <${HoldForm} id=${id('hold')} hold=${one.hold} set=${(hold) => set({ hold })} />
    ${remove && html`<div><button type="button" class="button button-small button-danger" onClick=${remove}>${t('research.removeCondition')}</button></div>`}
  </fieldset>`;
}

function HoldForm({ id, hold, set }) {
  return html`<div class="field">
      <label for=${id}>${t('research.hold')}</label>
      <select class="select" id=${id} value=${hold.kind} onChange=${(event) => set({ ...NO_HOLD, kind: event.target.value })}>
        ${Object.keys(FIELDS).map((kind) => html`<option value=${kind} selected=${kind === hold.kind}>${t(`research.hold.${kind}`)}</option>`)}
      </select>
      <span class="field-hint">${t('research.holdHint')}</span>
    </div>
    ${FIELDS[hold.kind].length > 0 && html`<div class="columns">
      ${FIELDS[hold.kind].map((name) => html`<${Line} key=${name} id=${`${id}-${name}`} type="number" step="any" label=${t(`research.${name}`)} value=${hold[name] ?? ''} set=${(text) => set({ ...hold, [name]: number(text) })} />`)}
    </div>`}`;
}

function Line({ id, label, value, set, ...more }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input class="input" id=${id} value=${value} onInput=${(event) => set(event.target.value)} ...${more} />
  </div>`;
}

function Area({ id, label, value, set }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <textarea class="textarea" id=${id} value=${value} onInput=${(event) => set(event.target.value)}></textarea>
  </div>`;
}
