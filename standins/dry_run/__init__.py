"""`python -m standins.dry_run`: a study simulated on the stand-ins, in shortened time (docs/dry-run.md).

plan      who comes when and does what, and how long the real services take
stage     database, WebUIs, chat service and server as processes of their own, in a folder that goes away
pace      by how much the time can be shortened on this machine
crowd     simulated participants, by HTTP
report    hours of GPU, waits, queue, storage
"""
