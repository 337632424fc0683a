"""Sessions: a participant joins a study, works, and tells what happens.

routes.py     the calls
schemas.py    what they take and tell
joining.py    from a link to a session
telling.py    events, each kept once
"""
