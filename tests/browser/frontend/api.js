// The calls of the front end, as the HTTP contract describes them (§2): no time limit, no repeating, no cancelling.

const ACCEPT = { Accept: "application/json, text/plain, */*" };

export class Api {
  constructor(base) {
    this.base = base;
  }

  // Answers the JSON of a 2xx; anything else is thrown, as the client does.
  async json(path, body) {
    const headers = { ...ACCEPT, "Content-Type": "application/json" };
    return read(await fetch(this.base + path, { method: "POST", headers, body: JSON.stringify(body) }));
  }

  async form(path, file, name) {
    const form = new FormData();
    form.append("file", file, name);
    return read(await fetch(this.base + path, { method: "POST", headers: ACCEPT, body: form }));
  }

  // A plain GET with CORS of a URL that <img> may have loaded without; the type is what the client says, always.
  async background(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    const text = await asDataUrl(await answer.blob());
    return "data:image/jpeg;base64," + text.slice(text.indexOf(",") + 1);
  }
}

async function read(answer) {
  if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}`);
  return answer.json();
}

function asDataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
