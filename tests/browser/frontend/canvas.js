// The drawing surface: a scheme (one canvas page, as /paint/save has it) on a canvas of 512×512.

const SIZE = 512;

export function emptyScheme() {
  return { name: "", paths: [], texts: [], backgroundImageUrl: "" };
}

export class Surface {
  constructor(canvas) {
    this.canvas = canvas;
    this.shown = Promise.resolve();
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.go(event));
    canvas.addEventListener("pointerup", () => (this.stroke = undefined));
  }

  // One page at a time: a background that is slow to decode must not paint over a later page.
  show(scheme) {
    this.scheme = scheme;
    this.shown = this.shown.then(() => this.paint(scheme));
    return this.shown;
  }

  async paint(scheme) {
    const pen = this.canvas.getContext("2d");
    const background = scheme.backgroundImageUrl ? await decoded(scheme.backgroundImageUrl) : null;
    pen.fillStyle = "white";
    pen.fillRect(0, 0, SIZE, SIZE);
    if (background) pen.drawImage(background, 0, 0, SIZE, SIZE);
    for (const stroke of scheme.paths) this.trace(stroke);
  }

  async png() {
    await this.shown;
    return new Promise((resolve) => this.canvas.toBlob(resolve, "image/png"));
  }

  async dataUrl() {
    await this.shown;
    return this.canvas.toDataURL("image/png");
  }

  begin(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = { drawMode: true, strokeColor: "black", strokeWidth: 5, paths: [pointOf(event)] };
    this.scheme.paths.push(this.stroke);
  }

  go(event) {
    if (!this.stroke) return;
    this.stroke.paths.push(pointOf(event));
    this.trace(this.stroke);
  }

  trace(stroke) {
    const pen = this.canvas.getContext("2d");
    pen.strokeStyle = stroke.strokeColor;
    pen.lineWidth = stroke.strokeWidth;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    for (const { x, y } of stroke.paths) pen.lineTo(x, y);
    pen.stroke();
  }
}

function pointOf(event) {
  return { x: event.offsetX, y: event.offsetY };
}

async function decoded(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}
