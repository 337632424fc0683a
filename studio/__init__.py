"""The web pages: one blueprint that hands out static files.

Rule of this folder: nothing here computes anything. What a page shows it asks the JSON API for, as any client would.
Plain ES modules and vendored libraries, no bundler, nothing from other hosts.
"""
