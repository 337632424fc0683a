"""HTTP, and what each app does with it.

Rule of this folder: one app is one folder with an APP_ID and a blueprint, mounted in `routes.py`. Apps do not know one
another; what several of them need stands directly in this folder. Flask is known here and in `app.py`, nowhere below.
"""
