// The four stages: workspace on the left, assistant on the right, and where the workspace is kept by /paint/*.

export const STAGES = [
  { stage: "设计摘要的环境", ai: "设计摘要的辅助生成", list: "designBriefSchemes",
    buttons: ["生成全新摘要", "现有产品参考", "扩展/增加"] },
  { stage: "草图的环境", ai: "草图的辅助生成", list: "sketchSchemes",
    buttons: ["生成全新草图", "现有产品参考", "扩展/添加", "转换为草图"] },
  { stage: "模型图的环境", ai: "模型图的辅助生成", list: "modelImageSchemes",
    buttons: ["生成全新模型", "多角度拓展", "转化为白模图"] },
  { stage: "场景与产品渲染图的环境", ai: "场景与产品渲染图的辅助生成", list: "renderingSchemes",
    buttons: ["生成全新场景", "现有产品参考", "扩展至场景", "转化为渲染图"] },
];

// Picking one of these puts the number back to 1; the user may raise it again.
export function isForOne(ai, button) {
  return (ai === STAGES[0].ai && button === "扩展/增加") || (ai === STAGES[1].ai && button === "现有产品参考");
}

// When each stage was entered and how long it was looked at: everything since the page was loaded.
export class StageClock {
  constructor() {
    this.records = {};
  }

  enter(stage) {
    const now = Date.now();
    if (this.running) this.running.duration = now - this.running.startTime;
    this.running = { startTime: now };
    (this.records[stage] ??= []).push(this.running);
  }
}
