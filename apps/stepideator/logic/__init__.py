"""What each operation does, one module for each representation.

Rule of this folder: every function takes a `Run` and returns what it made; the steps read like the sentence that
describes the operation. No Flask, no MongoDB, no HTTP.
"""
