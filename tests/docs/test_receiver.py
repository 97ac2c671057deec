"""The sample receiver of docs/receiver.py keeps its duties: order, expiry, lease.

usage: test_receiver.py RECEIVER
"""
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest

BASE = 1795248000.0  # 2026-11-21T08:00:00Z


def time(second):
    minutes, rest = divmod(second, 60)
    return f"2026-11-21T08:{minutes:02d}:{rest:02d}.000Z"


def command(seq, value="on", epoch=7, at=0, actuator="fan/p1"):
    return {"actuator": actuator, "value": value, "epoch": epoch, "seq": seq,
            "expires_at": time(at + 30), "lease_until": time(at + 60)}


class Duties(unittest.TestCase):
    def setUp(self):
        self.receiver = module.Receiver({"fan": "off", "valve": 0})

    def take(self, command_, second=0):
        return self.receiver.take(command_, BASE + second)

    def test_a_command_is_applied_and_its_repeat_dropped(self):
        self.assertEqual(self.take(command(1)), ("apply", "fan/p1", "on"))
        self.assertEqual(self.take(command(1))[0], "drop")

    def test_what_is_overtaken_is_dropped(self):
        self.take(command(5))
        self.assertEqual(self.take(command(4, "off"))[0], "drop")
        self.assertEqual(self.take(command(6, "off")), ("apply", "fan/p1", "off"))

    def test_the_epoch_counts_before_the_number(self):
        self.take(command(900, epoch=7))
        self.assertEqual(self.take(command(1, "off", epoch=8)), ("apply", "fan/p1", "off"))
        self.assertEqual(self.take(command(901, epoch=7))[0], "drop")

    def test_actuators_are_counted_apart(self):
        self.take(command(5))
        self.assertEqual(self.take(command(1, actuator="fan/p2"))[0], "apply")

    def test_what_has_expired_is_dropped_from_that_instant_on(self):
        self.assertEqual(self.take(command(1), 29.999)[0], "apply")
        self.assertEqual(self.take(command(2, "off"), 30), ("drop", "fan/p1", "it has expired"))

    def test_the_same_value_only_renews_the_lease(self):
        self.take(command(1))
        self.assertEqual(self.take(command(2, at=20), 20)[0], "renew")
        self.assertEqual(self.receiver.lapse(BASE + 60), [])
        self.assertEqual(self.receiver.lapse(BASE + 80), [("lapse", "fan/p1", "off")])

    def test_without_renewal_the_fail_safe_returns_once(self):
        self.take(command(1))
        self.take(command(1, 40.5, actuator="valve/p1"))
        self.assertEqual(self.receiver.next_lapse(), BASE + 60)
        self.assertEqual(self.receiver.lapse(BASE + 59.999), [])
        self.assertEqual(sorted(self.receiver.lapse(BASE + 60)),
                         [("lapse", "fan/p1", "off"), ("lapse", "valve/p1", 0)])
        self.assertEqual(self.receiver.lapse(BASE + 61), [])
        self.assertEqual(self.take(command(2, at=61), 61)[0], "apply")

    def test_a_restart_does_not_forget_what_was_done(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "state.json")
            module.Receiver({}, path).take(command(3), BASE)
            again = module.Receiver({}, path)
            self.assertEqual(again.take(command(3), BASE)[0], "drop")
            self.assertEqual(again.take(command(4), BASE)[0], "apply")


class Program(unittest.TestCase):
    def test_it_survives_what_is_no_command_and_ends_with_the_last_lease(self):
        import datetime
        now = datetime.datetime.now(datetime.timezone.utc)
        near = (now + datetime.timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
        good = dict(command(1), expires_at=near, lease_until=near)
        text = "\n".join(["nonsense", "[]", "{}", json.dumps(good)]) + "\n"
        done = subprocess.run([sys.executable, path_of_receiver, "--fail-safe", "fan=off"],
                              input=text, capture_output=True, text=True, check=True)
        said = [line.split(" ", 3)[:3] for line in done.stdout.splitlines()]
        self.assertEqual([line[0] for line in said[:3]], ["drop"] * 3)
        if said[3][0] == "apply":  # unless the machine took a second to get here
            self.assertEqual(said[3:], [["apply", "fan/p1", "on"], ["lapse", "fan/p1", "off"]])


sys.dont_write_bytecode = True
path_of_receiver = sys.argv.pop(1)
spec = importlib.util.spec_from_file_location("receiver", path_of_receiver)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
unittest.main()
