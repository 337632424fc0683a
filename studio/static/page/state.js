// All that the page knows, in one place.
import { createStore, useStore } from '../shared/state.js';

export const REPRESENTATIONS = ['brief', 'sketch', 'model', 'rendering'];
export const STAGE_NAMES = {
  brief: '设计摘要的环境',
  sketch: '草图的环境',
  model: '模型图的环境',
  rendering: '场景与产品渲染图的环境',
};
export const MAX_NUM = 8;

/** What somebody who just came sees. */
export const empty = () => ({
  username: '',
  isGuest: false,
  session: null,
  isReady: false,
  problem: null,
  operations: [],
  task: '',
  num: 2,
  jobs: {},
  order: [],
  next: null,
  isLoading: false,
  own: [],
  texts: [],
  picture: null,
  view: 'board',
  stage: 'brief',
  detail: null,
  drawing: null,
  writing: false,
});

export const store = createStore(empty());
export const use = (select, isEqual) => useStore(store, select, isEqual);

/** Whether the participant's study lets them run an operation. */
export const mayRun = ({ session }, name) =>
  session?.assistant !== false && (!session?.allowed || session.allowed.includes(name));
