// What stands in place of a result while it is made: how far it is, what is before it, how long it may take.
import { html, useEffect, useState } from '../vendor/preact.js';
import { duration, t } from '../shared/i18n.js';
import { Icon, Progress } from '../shared/ui.js';

/** Where a job stands and when it may be done, in words; the seconds run down by themselves. */
function useOutlook(job) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const isKnown = job.eta_s !== null && job.eta_s !== undefined;
  const left = isKnown ? job.eta_s - (performance.now() - job.heard_at) / 1000 : null;
  const beginning = t(job.state === 'queued' ? 'job.starting' : 'job.working');
  return {
    where: job.place > 0 ? t('job.place', { n: job.place }) : beginning,
    when: !isKnown ? '' : left < 1.5 ? t('job.soon') : t('job.eta', { time: duration(Math.ceil(left)) }),
  };
}

/** The line above what is being made. */
export function Status({ job }) {
  const { where, when } = useOutlook(job);
  return html`<p class="generation-status">
    <span class="pulse" aria-hidden="true"></span>${where}
    ${when && html`<span class="generation-eta"><${Icon} name="clock" size=${16} />${when}</span>`}
  </p>`;
}

/** The place of a picture that is not there yet. */
export function PendingPicture({ job, place, n, total }) {
  const { where, when } = useOutlook(job);
  const label = t('job.progress', { what: t(`op.${job.operation}`), n, total });
  return html`<div class="tile tile-pending">
    <div class="skeleton"></div>
    <div class="tile-progress">
      <span class="small">${t('job.picture', { n, total })}</span>
      <span class="tile-outlook">${job.place > 0 || !when ? where : when}</span>
      <${Progress} value=${place.progress} label=${label} />
    </div>
  </div>`;
}

/** The places of texts that are not there yet. */
export function PendingCards({ job, count }) {
  const label = `${t(`op.${job.operation}`)}, ${t('job.writing')}`;
  return Array.from(
    { length: Math.max(count, 0) },
    (_, i) => html`<${PendingCard} key=${i} job=${job} label=${label} />`,
  );
}

function PendingCard({ job, label }) {
  return html`<div class="text-card text-card-pending">
    <div class="skeleton"></div>
    <div class="skeleton"></div>
    <div class="skeleton"></div>
    <${Progress} value=${job.progress || null} label=${label} />
  </div>`;
}
