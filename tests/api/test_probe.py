import time, pytest
from tests.agent_standins import picture
pytestmark = pytest.mark.api
def test_times(server, serve):
    B={"username":"P","designTask":"设计一款农业无人机","currentNum":2,"currentStage":"草图的环境","selectedTexts":[],"selectedCanvasRecords":[]}
    for b,s in [("生成全新草图","草图的辅助生成"),("生成全新摘要","设计摘要的辅助生成"),("多角度拓展","模型图的辅助生成"),("扩展至场景","场景与产品渲染图的辅助生成")]:
        url=server.uploaded(picture(512,512))
        for _ in range(2):
            t=time.time()
            r=server.post("/generate",{**B,"selectedCanvasRecords":[url],"selectedButtonInfo":{"buttonText":b,"aiStage":s}})
            print(b,r.status_code,time.time()-t,r.text[:200])
    t=time.time(); s2=serve(); print("serve",time.time()-t)
    t=time.time(); print(s2.post("/paint/start",{"username":"x"}).text, time.time()-t)
    t=time.time(); s3=serve(MONGO_DB="kk"); print("serve",time.time()-t)
