"""Replays of sessions: each generation run once more from its record, and compared with what it gave then.

No Flask in here: a replay is driven by a thread of the server or by a command, the same way.

planning   what a replay does otherwise than the session, and which generations it has
driving    runs them in their order, and goes on where another driver ended
repeating  one generation once more: submitted, awaited, judged
judging    compares a generation with its repetition: the verdict, and why
likeness   how alike two pictures or two texts are
differing  what of two records is not the same
reasons    which of that explains another picture
shapes     what is kept of a judgement
"""
