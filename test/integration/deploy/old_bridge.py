# Plays the Python bridge that Postrider replaces, as far as the guide for the change-over relies on it: it groups
# bot_events by match_id, keeps each open group under context:KEY, and leaves what is open there when it is stopped.
import datetime
import json
import os
import select
import signal
import time

import psycopg2
import redis

window = float(os.environ["GROUPING_DELAY"])
database = psycopg2.connect(os.environ["POSTGRES_URL"])
database.autocommit = True
database.cursor().execute("LISTEN bot_events")
client = redis.from_url(os.environ["REDIS_URL"])
due = {}
stopping = []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))


def take(event):
    name = "context:" + event["match_id"]
    context = json.loads(client.get(name) or '{"messages": []}')
    context["messages"].append(event)
    context["rapid_count"] = len(context["messages"])
    context["last_message_at"] = datetime.datetime.now().isoformat()
    context["timer_started"] = True
    client.set(name, json.dumps(context, separators=(",", ":")), ex=120)
    due.setdefault(event["match_id"], time.monotonic() + window)


def push(key):
    messages = json.loads(client.get("context:" + key))["messages"]
    group = {"type": "grouped", "count": len(messages), "messages": messages}
    group.update(match_id=key, bot_id=messages[0]["bot_id"])
    client.rpush("bot_messages", json.dumps(group, separators=(",", ":")))
    client.delete("context:" + key)


print("listening", flush=True)
while not stopping:
    select.select([database], [], [], 0.02)
    database.poll()
    while database.notifies:
        take(json.loads(database.notifies.pop(0).payload))
    for key in [key for key, at in due.items() if at <= time.monotonic()]:
        if not stopping:
            push(key)
            del due[key]
