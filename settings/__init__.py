"""Prompts and image presets as data files, and their loader.

The rule of this folder: every sentence for a language model and every number for a picture stands in a
`.toml` file that a designer edits without Python; see README.md. The Python here reads, checks and renders
those files and says by file and key what is wrong. It knows no app: an app declares what it needs
(`settings.needs`), and `SettingsBook.load` compares the folder with that. It imports nothing of the
project's other folders, and importing it reads nothing.
"""
