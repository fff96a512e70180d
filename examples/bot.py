#!/usr/bin/env python3
"""A bot for parlor, from docs/protocol.md alone: it answers !time, !echo and !find, and likes thanks. When a question is
edited or deleted, so is its answer. bot.py [INVITE]"""
import random, sys, time, uuid
from wire import Invite, hear, say

invite = Invite(sys.argv[1] if sys.argv[1:] else "parlor://127.0.0.1:7878/#lobby?plain")
room = "#" + invite.room.lstrip("#")
nick, session, log, cursor, pause = "bot", None, None, None, 0.5
unstored = {}  # what we said and have no "ok" for, by its id, in the order in which we said it
answers = {}  # where our answers are, by where the questions are

def respond(event):
    """What to do about an entry of the room."""
    word, _, rest = event.get("text", "").partition(" ")
    text = {"!time": event["at"], "!echo": rest.strip()}.get(word)
    answer = answers.get(event.get("target"))
    if event["type"] == "message" and text:
        return dict(type="send", text=text, reply_to=event["seq"])
    if event["type"] == "message" and word == "thanks":
        return dict(type="react", seq=event["seq"], emoji="❤️")
    if event["type"] == "edited" and answer and text:
        return dict(type="edit", seq=answer, text=text)
    if event["type"] == "deleted" and answer:
        return dict(type="delete", seq=answer)

def tell(sock, **command):
    command |= dict(id=str(uuid.uuid4()), room=room)
    say(sock, **unstored.setdefault(command["id"], command))

def converse(sock, stream, binding):
    global nick, session, log, cursor, pause
    welcome = hear(stream)
    if welcome.get("auth", {}).get("kind") not in ("open", "passphrase"):
        raise ConnectionError(welcome.get("message", "we cannot come in here"))
    if log != welcome["server"]["id"]:
        log, cursor = welcome["server"]["id"], None
    proof = invite.prove(welcome["auth"], binding)
    say(sock, type="hello", protocol=1, nick=nick, resume=session, proof=proof, agent="bot.py")
    ready = hear(stream)
    if ready["type"] != "ready":
        nick += str(random.randint(2, 9)) if ready.get("code") == "nick_taken" else ""
        raise ConnectionError(ready.get("message", "we were not let in"))
    invite.verify(ready)
    session, nick, pause = ready["session"], ready["you"]["nick"], 0.5
    say(sock, type="join", id="join", room=room, after=cursor or 0, limit=0 if cursor is None else None)
    for command in unstored.values():
        say(sock, **command)
    while (event := hear(stream))["type"] != "bye":
        kind, re = event["type"], event.get("re")
        if kind == "ping":
            say(sock, type="pong")
        elif kind == "ok" and re == "join":
            cursor = event["last"] if cursor is None else min(cursor, event["last"])
        elif kind == "error" and event["code"] in ("storage", "storage_full"):
            raise ConnectionError(event["message"])  # and then it is said again
        elif kind in ("ok", "error"):
            said = unstored.pop(re, {})
            if kind == "ok" and "reply_to" in said:
                answers[said["reply_to"]] = event["seq"]
        elif kind == "found":
            texts = [hit["entry"]["text"] for hit in event["hits"] if not hit["entry"]["text"].startswith("!")]
            tell(sock, type="send", text=texts[0] if texts else "nothing", reply_to=int(re))
        elif "seq" in event and "room" in event and event["seq"] > cursor:
            cursor = event["seq"]
            if event["from"] == nick:
                continue
            if event.get("text", "").startswith("!find ") and kind == "message":
                say(sock, type="search", id=str(cursor), room=room, text=event["text"][6:], limit=50)
            elif response := respond(event):
                tell(sock, **response)
    if event["reason"] in ("quit", "replaced", "refused"):
        sys.exit(event["reason"])

while True:
    try:
        sock, binding = invite.connect()
        with sock:
            converse(sock, sock.makefile("rb"), binding)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr, flush=True)
    time.sleep(pause := min(pause * random.uniform(1, 2), 20))
