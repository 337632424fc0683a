// Sentences for people about generations that failed, by the type of the error in their record.
import { addWords, t } from '../shared/i18n.js';

const GROUPS = {
  nobody: [
    'NoInstanceUpError',
    'PoolTimeoutError',
    'PoolClosedError',
    'SDNotConfiguredError',
    'MultiviewNotConfiguredError',
    'MissingOnInstanceError',
    'UnservableError',
  ],
  painter: [
    'InstanceUnreachableError',
    'InstanceBusyError',
    'InstanceTimeoutError',
    'InstanceConnectionLostError',
    'InstanceServiceError',
    'BrokenAnswerError',
    'SDAccessError',
    'UnknownInstanceError',
    'MultiviewUnreachableError',
    'MultiviewTimeoutError',
    'MultiviewServiceError',
  ],
  memory: ['SDOutOfMemoryError'],
  words: [
    'ChatNotConfiguredError',
    'ChatUnreachableError',
    'ChatTimeoutError',
    'ChatRateLimitedError',
    'ChatAccessError',
    'ChatRejectedError',
    'ChatServiceError',
    'AnswerUnusableError',
  ],
  filtered: ['ContentFilteredError'],
  subject: ['NothingFoundError'],
  picture: ['PictureRejectedError', 'MultiviewRejectedError'],
  time: ['JobTimeoutError'],
  lost: ['StoppingError', 'RunnerDiedError'],
  store: ['StoreUnavailableError', 'DocumentTooLargeError', 'OwnershipLostError'],
};

addWords({
  en: {
    'failed.nobody': 'No image generator was free for this in time. Try again in a moment.',
    'failed.painter': 'The image generator broke off. Trying again usually helps.',
    'failed.memory': 'The image generator ran out of memory. Try again, or ask for fewer proposals.',
    'failed.words': 'The language model did not answer. Try again in a moment.',
    'failed.filtered': 'The language model declined this text. Put the task or the chosen texts in other words.',
    'failed.subject': 'The product could not be found in the chosen picture. Choose one that shows it clearly.',
    'failed.picture': 'The chosen picture could not be used. Choose another one.',
    'failed.time': 'It took too long and was given up. Try again, or ask for fewer proposals.',
    'failed.lost': 'The server was interrupted while it worked on this. Try again.',
    'failed.store': 'The result could not be kept. Try again in a moment.',
    'failed.other': 'Something went wrong while this was made. Try again in a moment.',
  },
  zh: {
    'failed.nobody': '暂时没有空闲的图像生成器，请稍后重试。',
    'failed.painter': '图像生成器中途出错，通常重试即可。',
    'failed.memory': '图像生成器内存不足，请重试或减少方案数量。',
    'failed.words': '语言模型没有回应，请稍后重试。',
    'failed.filtered': '语言模型拒绝了这段文字，请换一种说法描述任务或所选文本。',
    'failed.subject': '在所选图片中找不到产品，请选择能清楚显示产品的图片。',
    'failed.picture': '所选图片无法使用，请换一张。',
    'failed.time': '用时过长，已停止。请重试或减少方案数量。',
    'failed.lost': '服务器在处理时中断，请重试。',
    'failed.store': '结果未能保存，请稍后重试。',
    'failed.other': '生成时出了点问题，请稍后重试。',
  },
});

/** A sentence about a job's error: what happened, in the person's words, and what to do. */
export function failureSentence(error) {
  const type = error?.type || '';
  const group = Object.keys(GROUPS).find((name) => GROUPS[name].includes(type)) || 'other';
  return t(`failed.${group}`);
}
