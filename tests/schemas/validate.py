"""Validates records against the JSON Schemas of this project, and the schemas against broken records.

usage: validate.py SCHEMAS_FOLDER PROGRAM   (PROGRAM prints one record a line, of every kind)
"""
import copy
import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    sys.exit("error: python3 has no jsonschema: apt-get install python3-jsonschema")


def broken(record):
    """Copies of a record, each with one mistake that a schema must notice."""
    for place in ((), ("data",)):
        for name in list(record if not place else record["data"]):
            if not place and name in ("time", "subject") and record["type"] == "flyball.dead":
                continue  # a dead letter may lack them
            copy_ = copy.deepcopy(record)
            at = copy_ if not place else copy_["data"]
            del at[name]
            if name not in (("to",) if place else ("traceparent", "hop")):  # few records have one
                yield f"without {name}", copy_
            copy_ = copy.deepcopy(record)
            at = copy_ if not place else copy_["data"]
            at[name] = ["not", "a", "list"]
            yield f"with a list as {name}", copy_
        copy_ = copy.deepcopy(record)
        (copy_ if not place else copy_["data"])["surplus"] = 1
        yield "with a member too many", copy_


def broken_call(call):
    """The same of a call, which may have members that nobody reads."""
    for name in call:
        yield f"without {name}", {other: call[other] for other in call if other != name}
        yield f"with a list as {name}", {**call, name: ["a", "list"]}


def main(folder, program):
    validators = {}
    for path in sorted(pathlib.Path(folder).glob("*.schema.json")):
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        validators["flyball." + path.name.split(".")[0]] = jsonschema.Draft202012Validator(schema)
    lines = subprocess.run([program], check=True, capture_output=True).stdout.decode().splitlines()
    faults = []
    seen = set()
    for line in lines:
        record = json.loads(line)
        type_ = record.get("type", "flyball.call")  # calls are no CloudEvents
        validator = validators[type_]
        seen.add(type_)
        faults += [f"{type_}: {e.json_path}: {e.message}" for e in validator.iter_errors(record)]
        for what, wrong in broken(record) if "type" in record else broken_call(record):
            if validator.is_valid(wrong):
                faults.append(f"{type_}: the schema allows one {what}")
    faults += [f"no record of type {name} was printed" for name in validators.keys() - seen]
    print("\n".join(faults) or f"{len(lines)} records are valid, of {len(seen)} types")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
