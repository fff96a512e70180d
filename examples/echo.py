#!/usr/bin/env python3
"""A bot in ten lines: says again what follows !echo. `parlor pipe` does the rest; options go to it."""
import json, subprocess, sys
pipe = subprocess.Popen(["parlor", "pipe", "--nick", "echo", *sys.argv[1:]], stdin=-1, stdout=-1, encoding="utf-8")
say = lambda **command: print(json.dumps(command), file=pipe.stdin, flush=True)
say(type="join", room="#lobby", limit=0)
for event in map(json.loads, pipe.stdout):
    if event["type"] == "message" and event["text"].startswith("!echo "):
        say(type="send", room="#lobby", text=event["text"][6:], reply_to=event["seq"])
sys.exit(pipe.wait())
