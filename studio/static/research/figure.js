// A plot that can be kept as SVG and read as a table. The plotting library is Observable Plot, loaded by the page.
import { html, useEffect, useRef } from '../vendor/preact.js';
import { t } from '../shared/i18n.js';

/** draw: gives the plot's SVG element (Plot.plot). heads and rows: the same as a table. name: of the file. */
export function Figure({ title, name, draw, heads, rows }) {
  const box = useRef(null);
  useEffect(() => {
    const drawn = draw();
    for (const part of drawn.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label');
    drawn.setAttribute('role', 'img');
    drawn.setAttribute('aria-label', title);
    box.current.replaceChildren(drawn);
  });
  const keep = () => {
    const svg = box.current.querySelector('svg:last-of-type') || box.current.firstChild;
    const copy = svg.cloneNode(true);
    copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
    copy.style.color = '#111';
    copy.style.background = '#fff';
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: 'image/svg+xml' }));
    link.download = `${name}.svg`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  return html`<figure class="card card-pad figure">
    <figcaption class="row"><b>${title}</b><span class="push"></span><button type="button" class="button button-small" onClick=${keep}>${t('research.svg')}</button></figcaption>
    <div class="plot" ref=${box}></div>
    <details><summary>${t('research.asTable')}</summary><div class="scroll" tabindex="0" role="region" aria-label=${title}><table class="table">
      <thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
    </table></div></details>
  </figure>`;
}
