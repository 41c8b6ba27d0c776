"""Reads lines of JSON {url, key, value}; for each logs in by the URL alone, sets the key, and answers with a line of
JSON: what it then reads, or the error."""

import json
import sys

import redis

for line in sys.stdin:
    order = json.loads(line)
    try:
        with redis.Redis.from_url(order["url"], decode_responses=True) as client:
            client.set(order["key"], order["value"])
            answer = {"read": client.get(order["key"])}
    except Exception as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
