#!/usr/bin/env python3
"""A receiver of commands: what stands between flyball's commands and equipment, in its simplest form.

It keeps the duties that engine/PROTOCOL.md asks of a receiver, and is what the tests receive with.
In place of equipment it has lines on standard output:

    apply fan/p1 on      the actuator is to be this now
    renew fan/p1 on      nothing changes, but it may go on for another lease
    drop  fan/p1 ..      a command that is not acted upon, and why
    lapse fan/p1 off     no command came in time: back to the fail-safe

usage: kcat -b BROKER -X isolation.level=read_committed -C -u -q -o end -t pumps.commands |
           receiver.py --state receiver.json --fail-safe fan=off --fail-safe valve=0

The fail-safe of an actuator belongs to the equipment, not to the engine: it must hold when nothing
is received. The receiver's clock must agree with that of the engine's machine to well below a lease.
"""
import argparse
import datetime
import json
import os
import queue
import sys
import threading
import time


def seconds(text):
    """An RFC 3339 time in UTC, as flyball writes it."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Receiver:
    """All that it knows of an actuator is the number of the last command, its value and its lease."""

    def __init__(self, fail_safe, path=None):
        self.fail_safe = fail_safe  # actuator's name -> value
        self.path = path
        self.last = {}  # actuator -> [epoch, seq]: survives a restart
        self.lease = {}  # actuator -> (until, value): does not, the equipment is in its fail-safe
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.last = json.load(file)

    def take(self, command, now):
        """What to do with a command at this wall clock: (what, actuator, value or why not)."""
        actuator = command["actuator"]
        number = [command["epoch"], command["seq"]]
        if number <= self.last.get(actuator, [-1, -1]):  # a repeat, or overtaken by a later one
            return "drop", actuator, "it is not newer than the last one"
        self.last[actuator] = number
        self._save()  # before it acts: rather not at all than twice
        if now >= seconds(command["expires_at"]):
            return "drop", actuator, "it has expired"
        before = self.lease.get(actuator)
        self.lease[actuator] = (seconds(command["lease_until"]), command["value"])
        same = before is not None and before[1] == command["value"]
        return "renew" if same else "apply", actuator, command["value"]

    def lapse(self, now):
        """The actuators whose lease is over: (what, actuator, fail-safe)."""
        over = [actuator for actuator, (until, _) in self.lease.items() if now >= until]
        for actuator in over:
            del self.lease[actuator]
        return [("lapse", a, self.fail_safe.get(a.split("/")[0])) for a in over]

    def next_lapse(self):
        return min((until for until, _ in self.lease.values()), default=None)

    def _save(self):
        if not self.path:
            return
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.last, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self.path + ".new", self.path)


def lines_of(stream):
    """Its lines as they come, in a queue that can be waited for; None at its end."""
    lines = queue.Queue()

    def read():
        for line in stream:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def value_of(word):
    try:
        return float(word)
    except ValueError:
        return word


def main():
    options = argparse.ArgumentParser(usage=__doc__[__doc__.index("kcat") :])
    options.add_argument("--fail-safe", action="append", default=[], metavar="NAME=VALUE")
    options.add_argument("--state", metavar="FILE")
    given = options.parse_args()
    fail_safe = {name: value_of(word) for name, word in (f.split("=", 1) for f in given.fail_safe)}
    receiver = Receiver(fail_safe, given.state)
    lines, open_ = lines_of(sys.stdin), True
    while open_ or receiver.lease:  # at the end of the stream the leases still run
        until = receiver.next_lapse()
        try:
            line = lines.get(timeout=max(0, until - time.time()) if until else None)
        except queue.Empty:
            line = ""
        done = receiver.lapse(time.time())
        if line is None:
            open_ = False
        elif line.strip():
            try:
                done.append(receiver.take(json.loads(line), time.time()))
            except (ValueError, KeyError, TypeError, AttributeError) as fault:
                done.append(("drop", "?", f"it is no command: {fault!r}"))
        for what, actuator, value in done:
            print(what, actuator, value, flush=True)


if __name__ == "__main__":
    main()
