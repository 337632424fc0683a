// Pictures from outside: picked, dropped, or pasted.
import { html, useEffect, useState } from '../vendor/preact.js';
import { sentence, t } from '../shared/i18n.js';
import { Icon, toast } from '../shared/ui.js';
import { choosePicture } from './choices.js';
import { tell } from './events.js';
import { upload } from './own.js';
import { store } from './state.js';

const TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/** Let the participant pick a file for a representation. */
export function pickFile(representation) {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = TYPES.join(',');
  input.addEventListener('change', () => bring([...input.files], representation));
  input.click();
}

async function bring(files, representation) {
  const stage = representation === 'brief' ? 'sketch' : representation;
  const pictures = files.filter((file) => TYPES.includes(file.type));
  if (!pictures.length) return toast(t('upload.wrong'), { kind: 'error' });
  for (const file of pictures.slice(0, 8)) {
    toast(t('upload.working'));
    try {
      const thing = await upload(file, stage);
      choosePicture(thing.url, thing.representation);
      toast(t('upload.done'), { kind: 'success' });
    } catch (error) {
      toast(sentence(error), { kind: 'error' });
      tell('error.shown', { object: 'picture.upload', data: { status: error.status, message: error.message } });
    }
  }
  return null;
}

const stageAt = (target) => target?.closest?.('.column')?.id.replace('column-', '') || store.get().stage;

/** Take pictures that are dropped anywhere, or pasted; shows that it would. */
export function DropZone() {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    let depth = 0;
    const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes('Files');
    const enter = (event) => {
      if (hasFiles(event)) {
        depth += 1;
        setOver(true);
      }
    };
    const leave = (event) => {
      if (hasFiles(event) && (depth -= 1) <= 0) {
        depth = 0;
        setOver(false);
      }
    };
    const over = (event) => {
      if (hasFiles(event)) event.preventDefault();
    };
    const drop = (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      bring(
        [...event.dataTransfer.files],
        stageAt(document.elementsFromPoint(event.clientX, event.clientY).find((one) => one.closest('.column'))),
      );
    };
    const paste = (event) => {
      const files = [...(event.clipboardData?.files || [])];
      if (!files.length || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      bring(files, store.get().stage);
    };
    const all = { dragenter: enter, dragleave: leave, dragover: over, drop, paste };
    for (const [name, handle] of Object.entries(all)) addEventListener(name, handle);
    return () => {
      for (const [name, handle] of Object.entries(all)) removeEventListener(name, handle);
    };
  }, []);
  return isOver
    ? html`<div class="drop-zone" aria-hidden="true">
        <span><${Icon} name="upload" size=${32} />${t('upload.drop')}</span>
      </div>`
    : null;
}
