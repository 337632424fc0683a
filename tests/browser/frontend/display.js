// How the `data` of an answer is shown: the six rules of the contract (§2.2), to the letter.

const IMAGE = /\.(jpeg|jpg|gif|png)$/;

// Rule 1: each element of a list is a block, otherwise `data` itself is one.
export function blocksOf(data) {
  return Array.isArray(data) ? data : [data];
}

// Rule 2: only the values count. Object.values() has whole-number keys in ascending order, and throws on null.
export function renderBlock(block, onImage) {
  const values = Object.values(block);
  const isImages = values.every((value) => typeof value === "string" && IMAGE.test(value));
  const element = make("div", `block ${isImages ? "image-block" : "text-block"}`);
  element.append(...values.map((value) => (isImages ? renderImage(value, onImage) : renderCard(value))));
  return element;
}

// Rule 3. No crossorigin attribute: the first load of a picture is one without CORS.
function renderImage(url, onImage) {
  const figure = make("figure");
  const image = make("img");
  image.src = url;
  image.addEventListener("click", () => onImage(url, figure));
  figure.append(image);
  return figure;
}

// Rules 4 and 6: one card for each value, labelled by the index of each object that was parsed.
function renderCard(value) {
  const card = make("div", "card");
  parsed(value).forEach((object, index) => card.append(renderEntry(index, object)));
  return card;
}

function parsed(value) {
  if (typeof value !== "string") return [];
  try {
    return [JSON.parse(value)];
  } catch {
    try {
      return (value.match(/{[^}]*}/g) ?? []).map((part) => JSON.parse(part));
    } catch {
      return [];
    }
  }
}

// Rule 5. Object.entries() throws on null, which is what takes the client's page down.
function renderEntry(key, value) {
  const entry = make("div", "entry");
  entry.append(make("b", "key", `${key}:`));
  if (Array.isArray(value)) {
    const list = make("ul");
    list.append(...value.map(renderItem));
    entry.append(list);
  } else if (typeof value === "object") {
    entry.append(renderObject(value));
  } else {
    entry.append(make("span", "value", ` ${value}`));
  }
  return entry;
}

function renderItem(item) {
  const element = make("li");
  element.append(typeof item === "object" ? renderObject(item) : String(item));
  return element;
}

function renderObject(object) {
  const box = make("div", "box");
  box.append(...Object.entries(object).map(([key, value]) => renderEntry(key, value)));
  return box;
}

export function make(name, className = "", text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}
