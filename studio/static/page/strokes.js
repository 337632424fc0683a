// Lines of a pen: their shape, and how they are put on a canvas. No page, no state.
import { getStroke } from '../vendor/perfect-freehand.js';

export const SIDE = 768;
export const COLOURS = {
  ink: '#1b1b27',
  grey: '#8b8b99',
  red: '#d23b3b',
  blue: '#2f6fe0',
  green: '#22935a',
  yellow: '#f0b429',
};

/** The outline of a line as a path; points are [x, y, pressure]. */
export function outline({ points, width, isPen }) {
  const shape = getStroke(points, {
    size: width,
    thinning: isPen ? 0.6 : 0.35,
    smoothing: 0.5,
    streamline: 0.4,
    simulatePressure: !isPen,
    last: true,
  });
  const path = new Path2D();
  shape.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
  path.closePath();
  return path;
}

/** Put one line on a layer; the eraser takes away what is there. */
export function put(context, stroke) {
  context.globalCompositeOperation = stroke.tool === 'eraser' ? 'destination-out' : 'source-over';
  context.fillStyle = stroke.colour;
  context.fill(outline(stroke));
  context.globalCompositeOperation = 'source-over';
}

/** Draw a layer anew. */
export function redraw(context, strokes) {
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  strokes.forEach((stroke) => put(context, stroke));
}

/** Size of the canvas over a picture: its form, the longer side as long as the canvas's. */
export function sizeFor(picture) {
  if (!picture) return { width: SIDE, height: SIDE };
  const scale = SIDE / Math.max(picture.naturalWidth, picture.naturalHeight);
  return {
    width: Math.max(Math.round(picture.naturalWidth * scale), 8),
    height: Math.max(Math.round(picture.naturalHeight * scale), 8),
  };
}

/** The finished drawing as a PNG: white ground, the picture, the lines. */
export function finished(layer, picture) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [layer.width, layer.height];
  const context = canvas.getContext('2d');
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  if (picture) context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  context.drawImage(layer, 0, 0);
  return new Promise((done) => canvas.toBlob(done, 'image/png'));
}

/** A line as it is told and kept: whole pixels, pressure in hundredths. */
export const compact = (stroke) => ({
  ...stroke,
  points: stroke.points.map(([x, y, p]) => [Math.round(x), Math.round(y), Math.round(p * 100) / 100]),
});
