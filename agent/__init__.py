"""The models that StepIdeator works with, knowing nothing of our HTTP server or of MongoDB.

The folder's rule: a module here is given values (endpoints, keys, time limits) and gives back values (frozen
dataclasses); it reads no environment and no configuration. `requests` is used only here, `openai` only in
`gpt.py`. Whatever goes wrong leaves this folder as one of the classes in `errors.py`.

    gpt.py          one chat completion (values: conversation.py)
    answers.py      … and the checked answer in it
    deadline.py     … and the end of the wait for it
    sd.py           txt2img, img2img, inpainting
    sam.py          masks by text
    multiview.py    an object from several sides
    pool.py         which WebUI instance is free
    locks.py        … over all processes of a host
    attempts.py     the same work on another instance
    instance.py     one WebUI: address, time limits, what is known of it
    capabilities.py what it has: checkpoints, samplers, models
    payloads.py     what we ask for
    info.py         what we got, compared with it
    overdue.py      the job whose answer did not come
    sdapi.py        one call to a WebUI and its errors
    wire.py         one HTTP exchange with an end to every wait
    images.py       pictures: fit, cut out, white ground
"""
