// Draw with a pen: mouse, finger or stylus, on a white ground or over a picture.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/preact.js';
import { pictureUrl } from '../shared/api.js';
import { sentence, t } from '../shared/i18n.js';
import { useWindowEvent } from '../shared/state.js';
import { Dialog, IconButton, toast } from '../shared/ui.js';
import { choosePicture } from './choices.js';
import { tell } from './events.js';
import { keep, recall } from './kept.js';
import { saveDrawing } from './own.js';
import { store } from './state.js';
import { COLOURS, compact, finished, put, redraw, sizeFor } from './strokes.js';

const WIDTHS = [2, 40];
const POINTS_TOLD = 400;

/** The picture below the drawing, once it is there. */
function usePicture(address) {
  const [picture, setPicture] = useState(null);
  useEffect(() => {
    if (!address) return;
    const image = new Image();
    image.onload = () => setPicture(image);
    image.src = pictureUrl(address);
  }, [address]);
  return picture;
}

/** The lines so far, kept in this browser, with every step back and forth, clearing too. */
function useStrokes(key, representation) {
  const [{ strokes, past, future }, setAll] = useState(() => ({ strokes: recall(key, []), past: [], future: [] }));
  const go = (next) => {
    setAll(next);
    keep(key, next.strokes.length ? next.strokes : null);
  };
  // What was kept from an earlier visit has no steps any more: it goes line by line.
  const before = past.length ? past[past.length - 1] : strokes.length ? strokes.slice(0, -1) : null;
  return {
    strokes,
    canUndo: Boolean(before),
    canRedo: future.length > 0,
    add: (stroke) => go({ strokes: [...strokes, stroke], past: [...past, strokes], future: [] }),
    undo() {
      if (!before) return;
      go({ strokes: before, past: past.slice(0, -1), future: [...future, strokes] });
      tell('drawing.undo', { object: representation });
    },
    redo() {
      if (!future.length) return;
      go({ strokes: future[future.length - 1], past: [...past, strokes], future: future.slice(0, -1) });
      tell('drawing.redo', { object: representation });
    },
    clear() {
      if (!strokes.length) return;
      go({ strokes: [], past: [...past, strokes], future: [] });
      tell('drawing.clear', { object: representation });
    },
  };
}

export function Draw({ representation, background }) {
  const key = `drawing.${store.get().username}.${background ? background.slice(-20) : 'blank'}`;
  const { strokes, add, undo, redo, clear, canUndo, canRedo } = useStrokes(key, representation);
  const [pen, setPen] = useState({ tool: 'pen', colour: 'ink', width: 5 });
  const [isSaving, setSaving] = useState(false);
  const picture = usePicture(background);
  const layer = useRef(null);
  const begun = useRef(Date.now());
  useEffect(() => {
    tell('drawing.begin', {
      object: representation,
      data: { over: background ? 'picture' : 'white', kept: strokes.length },
    });
  }, []);

  const close = () => store.set({ drawing: null });
  const save = async () => {
    if (!strokes.length) return toast(t('draw.empty'));
    setSaving(true);
    try {
      const blob = await finished(layer.current, picture);
      const thing = await saveDrawing(blob, representation, background ? [background] : [], {
        strokes: strokes.length,
        seconds: Math.round((Date.now() - begun.current) / 1000),
      });
      choosePicture(thing.url, representation);
      keep(key, null);
      close();
      toast(t('draw.kept'), { kind: 'success' });
    } catch (error) {
      setSaving(false);
      toast(sentence(error), { kind: 'error' });
    }
    return null;
  };
  useKeys({ undo, redo, pen, setPen });
  const footer = html`<span class="draw-keys muted small">${t('draw.keys')}</span
    ><button type="button" class="button" onClick=${close}>${t('shared.cancel')}</button>
    <button type="button" class="button button-primary" disabled=${isSaving} onClick=${save}>
      ${t(isSaving ? 'draw.saving' : 'draw.save')}
    </button>`;
  return html`<${Dialog} title=${t('draw.title')} onClose=${close} class="dialog-wide drawing" footer=${footer}>
    <${Tools}
      pen=${pen}
      setPen=${setPen}
      undo=${undo}
      redo=${redo}
      clear=${clear}
      canUndo=${canUndo}
      canRedo=${canRedo}
      canClear=${strokes.length > 0}
    />
    <${Surface} layer=${layer} strokes=${strokes} pen=${pen} picture=${picture} background=${background} add=${add} />
  <//>`;
}

function useKeys({ undo, redo, pen, setPen }) {
  useWindowEvent('keydown', (event) => {
    if (event.target.matches('input[type=text], textarea')) return;
    const command = event.ctrlKey || event.metaKey;
    const pressed = event.key.toLowerCase();
    const act =
      command && pressed === 'z'
        ? event.shiftKey
          ? redo
          : undo
        : command && pressed === 'y'
          ? redo
          : command
            ? null
            : {
                p: () => setPen({ ...pen, tool: 'pen' }),
                e: () => setPen({ ...pen, tool: 'eraser' }),
                '[': () => setPen({ ...pen, width: Math.max(pen.width - 2, WIDTHS[0]) }),
                ']': () => setPen({ ...pen, width: Math.min(pen.width + 2, WIDTHS[1]) }),
              }[pressed];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function Tools({ pen, setPen, undo, redo, clear, canUndo, canRedo, canClear }) {
  const tool = (name) =>
    html`<${IconButton}
      icon=${name}
      label=${t(`draw.${name}`)}
      aria-pressed=${pen.tool === name}
      onClick=${() => setPen({ ...pen, tool: name })}
    />`;
  return html`<div class="draw-tools" role="toolbar" aria-label=${t('draw.tools')}>
    ${tool('pen')}${tool('eraser')}<span class="draw-gap"></span>
    <div class="swatches" role="group" aria-label=${t('draw.colour')}>
      ${Object.keys(COLOURS).map((name) => html`<${Swatch} key=${name} name=${name} pen=${pen} setPen=${setPen} />`)}
    </div>
    <label class="draw-width"
      ><span>${t('draw.width')}</span
      ><input
        type="range"
        min=${WIDTHS[0]}
        max=${WIDTHS[1]}
        value=${pen.width}
        onInput=${(event) => setPen({ ...pen, width: Number(event.target.value) })} /><span
        class="draw-dot"
        aria-hidden="true"
        ><span
          style=${`width:${pen.width / 1.6}px;height:${pen.width / 1.6}px;background:${pen.tool === 'eraser' ? 'var(--surface-3)' : COLOURS[pen.colour]}`}
        ></span></span
    ></label>
    <span class="draw-gap"></span>
    <${IconButton} icon="undo" label=${t('draw.undo')} disabled=${!canUndo} onClick=${undo} /><${IconButton}
      icon="redo"
      label=${t('draw.redo')}
      disabled=${!canRedo}
      onClick=${redo}
    /><${IconButton} icon="trash" label=${t('draw.clear')} disabled=${!canClear} onClick=${clear} />
  </div>`;
}

function Swatch({ name, pen, setPen }) {
  const label = t(`colour.${name}`);
  return html`<button
    type="button"
    class="swatch"
    style=${`--swatch:${COLOURS[name]}`}
    aria-label=${label}
    title=${label}
    aria-pressed=${pen.colour === name && pen.tool === 'pen'}
    onClick=${() => setPen({ ...pen, colour: name, tool: 'pen' })}
  ></button>`;
}

/** The paper: takes the pen's points, shows the line while it is drawn. */
function Surface({ layer, strokes, pen, picture, background, add }) {
  const size = sizeFor(picture);
  const live = useRef(null);
  useLayoutEffect(() => {
    redraw(layer.current.getContext('2d'), strokes);
  }, [strokes, size.width, size.height]);
  const pointOf = (event) => {
    const box = layer.current.getBoundingClientRect();
    return [
      (event.clientX - box.left) * (layer.current.width / box.width),
      (event.clientY - box.top) * (layer.current.height / box.height),
      event.pointerType === 'pen' ? event.pressure : 0.5,
    ];
  };
  const show = () => {
    const context = layer.current.getContext('2d');
    redraw(context, strokes);
    put(context, live.current);
  };
  const down = (event) => {
    if (event.button !== 0 || live.current) return;
    event.preventDefault();
    layer.current.setPointerCapture(event.pointerId);
    live.current = {
      pointer: event.pointerId,
      tool: pen.tool,
      colour: COLOURS[pen.colour],
      width: pen.width * (pen.tool === 'eraser' ? 2 : 1),
      isPen: event.pointerType === 'pen',
      at: Date.now(),
      points: [pointOf(event)],
    };
    show();
  };
  const move = (event) => {
    if (live.current?.pointer !== event.pointerId) return;
    const all = event.getCoalescedEvents?.() || [];
    live.current.points.push(...(all.length ? all : [event]).map(pointOf));
    show();
  };
  const up = (event) => {
    if (live.current?.pointer !== event.pointerId) return;
    const { pointer: _, at, ...stroke } = live.current;
    live.current = null;
    const whole = compact(stroke);
    add(whole);
    const each = Math.ceil(whole.points.length / POINTS_TOLD);
    tell('drawing.stroke', {
      object: whole.tool,
      data: {
        ...whole,
        points: whole.points.filter((_point, i) => i % each === 0),
        ms: Date.now() - at,
        pointer: event.pointerType,
      },
    });
  };
  return html`<div
    class="paper"
    style=${`aspect-ratio:${size.width}/${size.height};--form:${size.width / size.height}`}
  >
    ${background && html`<img src=${pictureUrl(background)} alt="" />`}
    <canvas
      ref=${layer}
      width=${size.width}
      height=${size.height}
      role="img"
      aria-label=${t('draw.canvas')}
      onPointerDown=${down}
      onPointerMove=${move}
      onPointerUp=${up}
      onPointerCancel=${up}
    ></canvas>
  </div>`;
}
