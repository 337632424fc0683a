"""Many stand-in WebUIs in one process, so cheap that a small machine can feed 32 of them.

They speak the WebUI's own protocol in the shapes of `standins.webui`, and answer each call after the time that a real
one would take. Only the pictures are canned: one noisy PNG of 400 KB, made different in every answer by a text chunk.
"""
