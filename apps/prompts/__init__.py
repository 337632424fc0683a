"""Prompts and presets, as their designers look at them, try them, and save them.

routes.py    the calls, for researchers only
schemas.py   what they take and tell
shelf.py     the files of settings/, their versions, and trying a new text beside the one in use
"""
