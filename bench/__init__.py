"""What shows our speed: scenarios against the real server, each figure a ratio to an ideal of the same run.

Rule of the scenarios (`python -m bench`): every part runs as a process of its own and is spoken to over sockets only;
the server is the one that everybody starts (`gunicorn app:app`). What is ideal is computed from what the stand-ins
wrote down meanwhile. The simulations beside them run our rules in invented time.
"""
