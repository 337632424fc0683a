// The page: what a participant does, and the calls that follow from it. `?api=` names the server, in tests only.

import { Api } from "./api.js";
import { Surface, emptyScheme } from "./canvas.js";
import { blocksOf, make, renderBlock } from "./display.js";
import { STAGES, StageClock, isForOne } from "./stages.js";

const TOAST_MS = 2500;
const POPOVER_MS = 2000;
const FAILED = "生成失败，请稍后再试";

const at = (id) => document.getElementById(id);
const api = new Api(new URLSearchParams(location.search).get("api") ?? "http://127.0.0.1:5002");
const surface = new Surface(at("canvas"));
const clocks = { stage: new StageClock(), ai: new StageClock() };
const state = {
  ...Object.fromEntries(STAGES.map(({ list }) => [list, [emptyScheme()]])),
  currentStage: "", currentAIStage: "", button: "", number: 1, selectedTexts: [], canvasRecords: [], page: 0,
};
let submissions = 0;

// --- the workspace

const listOf = (stage) => state[STAGES.find((row) => row.stage === stage).list];
const schemes = () => listOf(state.currentStage);

function enterStage(stage) {
  state.currentStage = stage;
  clocks.stage.enter(stage);
  press("stages", stage);
  return showPage(schemes().length - 1);
}

async function showPage(index) {
  state.page = index;
  state.selectedTexts = [];
  forgetCanvas();
  at("schemes").replaceChildren(...schemes().map((_, i) => button(String(i + 1), () => showPage(i))));
  press("schemes", String(index + 1));
  showTexts();
  await surface.show(schemes()[index]);
  // Tells whoever watches that a page that was added is painted.
  at("canvas").dataset.pages = STAGES.reduce((sum, { list }) => sum + state[list].length, 0);
}

function addPage(background) {
  schemes().push({ ...emptyScheme(), backgroundImageUrl: background });
  return showPage(schemes().length - 1);
}

function addText() {
  const texts = schemes()[state.page].texts;
  texts.push({ text: at("text").value, position: { x: 8, y: 8 + 30 * texts.length } });
  at("text").value = "";
  showTexts();
}

function showTexts() {
  at("texts").replaceChildren(...schemes()[state.page].texts.map(({ text, position }) => {
    const box = button(text, () => selectText(text, box));
    box.style.cssText = `left: ${position.x}px; top: ${position.y}px`;
    return box;
  }));
}

function selectText(text, box) {
  state.selectedTexts.push(text);
  box.setAttribute("aria-pressed", "true");
}

// A click on a canvas that has changed since the last click adds a record; only the first becomes a URL.
async function selectCanvas() {
  const drawing = await surface.dataUrl();
  if (state.canvasRecords.at(-1) !== drawing) state.canvasRecords.push(drawing);
  at("select-canvas").setAttribute("aria-pressed", "true");
}

function forgetCanvas() {
  state.canvasRecords = [];
  at("select-canvas").setAttribute("aria-pressed", "false");
}

// --- the assistant

function enterAIStage(ai) {
  state.currentAIStage = ai;
  clocks.ai.enter(ai);
  press("ai-stages", ai);
  const names = STAGES.find((row) => row.ai === ai).buttons;
  at("buttons").replaceChildren(...names.map((name) => button(name, () => choose(name))));
  for (const list of at("results").children) list.hidden = list.dataset.ai !== ai;
}

function choose(name) {
  state.button = name;
  press("buttons", name);
  if (isForOne(state.currentAIStage, name)) at("numbers").querySelector("input").click();
}

async function submit() {
  const number = ++submissions;
  const ai = state.currentAIStage;
  const canvasRecords = [...state.canvasRecords];
  const request = requestOf(ai);
  toast("生成中...", number);
  try {
    if (canvasRecords.length) {
      canvasRecords[0] = (await api.form("/upload", await surface.png(), "canvas.png")).url ?? null;
    }
    const answer = await api.json("/generate", { ...request, selectedCanvasRecords: canvasRecords });
    if (!answer.success || answer.data === null) {
      console.log(answer.message);
      return toast(FAILED, number);
    }
    toast("生成成功", number);
    show(answer.data, ai, number);
  } catch (error) {
    if (error instanceof PageCrash) throw error;
    toast(FAILED, number);
  }
}

function requestOf(ai) {
  return {
    username: at("username").value, designTask: at("task").value, currentNum: state.number, currentAIStage: ai,
    currentStage: state.currentStage, selectedTexts: [...state.selectedTexts], selectedCanvasRecords: [],
    selectedButtonInfo: { buttonText: state.button, aiStage: ai },
  };
}

class PageCrash extends Error {}

// What cannot be rendered takes the whole page down, as in the client.
export function show(data, ai, number) {
  try {
    const blocks = blocksOf(data).map((block) => renderBlock(block, (url, figure) => offer(url, figure, ai)));
    blocks.forEach((block) => (block.dataset.submission = number));
    at("results").querySelector(`[data-ai="${ai}"]`).prepend(...blocks);
  } catch (error) {
    document.body.replaceChildren();
    throw new PageCrash(`the page has crashed: ${error.message}`);
  }
}

function offer(url, figure, ai) {
  const popover = button("放至工作区", () => toWorkspace(url, ai));
  figure.append(popover);
  setTimeout(() => popover.remove(), POPOVER_MS);
}

// When the picture cannot be fetched, an empty page is added and nothing is said.
async function toWorkspace(url, ai) {
  const background = await api.background(url).catch(() => "");
  await enterStage(STAGES.find((row) => row.ai === ai).stage);
  await addPage(background);
}

// --- the other calls

async function cloudUpload(file) {
  try {
    const { url } = await api.form("/uploadImage", file, file.name);
    await addPage(await api.background(url));
  } catch {
    // The client shows nothing then.
  }
}

async function sendTimes() {
  const username = at("username").value;
  const records = { stageSwitchRecords: clocks.stage.records, aiStageSwitchRecords: clocks.ai.records };
  await api.json("/timeRecord", { username, ...records }).then(
    ({ success, message }) => console.log(success, message), (error) => console.log(error.message),
  );
  toast("提交计时成功", 0);
}

async function load() {
  const { success, data } = await api.json("/paint/start", { username: at("username").value });
  if (!success) return;
  Object.assign(state, data);
  at("task").value = state.designTask;
  for (const { list } of STAGES) if (!state[list].length) state[list] = [emptyScheme()];
  await enterStage(state.currentStage || STAGES[0].stage);
}

async function save() {
  const designSchemes = Object.fromEntries(STAGES.map(({ stage }) => [stage, listOf(stage)]));
  const data = { designSchemes, designTask: at("task").value, currentStage: state.currentStage };
  const answer = await api.json("/paint/save", { username: at("username").value, data });
  toast(answer.success ? "保存数据成功" : `保存数据失败：${answer.message}`, 0);
}

// --- the parts

function toast(text, number) {
  const element = make("div", "toast", text);
  element.dataset.submission = number;
  at("toasts").append(element);
  setTimeout(() => element.remove(), TOAST_MS);
}

function button(text, action) {
  const element = make("button", "", text);
  element.addEventListener("click", action);
  return element;
}

function press(id, text) {
  for (const one of at(id).children) one.setAttribute("aria-pressed", String(one.textContent === text));
}

function radio(number) {
  const label = make("label", "", String(number));
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "number", value: number });
  input.addEventListener("change", () => (state.number = number));
  input.checked = number === state.number;
  label.append(input);
  return label;
}

function resultList(ai) {
  const list = make("div");
  list.dataset.ai = ai;
  return list;
}

at("stages").append(...STAGES.map(({ stage }) => button(stage, () => enterStage(stage))));
at("ai-stages").append(...STAGES.map(({ ai }) => button(ai, () => enterAIStage(ai))));
at("results").append(...STAGES.map(({ ai }) => resultList(ai)));
at("numbers").append(...[1, 2, 3].map(radio));
at("add-text").addEventListener("click", addText);
at("select-canvas").addEventListener("click", selectCanvas);
at("submit").addEventListener("click", submit);
at("cloud").addEventListener("change", (event) => cloudUpload(event.target.files[0]));
at("times").addEventListener("click", sendTimes);
at("load").addEventListener("click", load);
at("save").addEventListener("click", save);
enterAIStage(STAGES[0].ai);
await enterStage(STAGES[0].stage);
document.body.dataset.ready = "yes";
