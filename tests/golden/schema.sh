#!/bin/sh
# What the JSON renderer writes, by rich, hostile and empty recordings, holds against the published
# schema, and has no member that the schema does not describe.  Needs python3-jsonschema.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

for python in python3 /usr/bin/python3; do
	if "$python" -c 'import jsonschema' 2>/dev/null; then
		break
	fi
	python=
done
[ -n "$python" ] || { echo "no python3-jsonschema"; exit 77; }

LAGPROF_TEST_OUT=$tmp "$BUILD/tests/unit" render json_documents
"$python" - "$SOURCE/docs/report.schema.json" "$tmp"/*.json <<'END'
import json
import sys

import jsonschema


def close(part):
    """Readers must accept new members; what we write must have none but those described."""
    if isinstance(part, dict):
        if "properties" in part:
            part.setdefault("additionalProperties", False)
        for value in part.values():
            close(value)
    elif isinstance(part, list):
        for value in part:
            close(value)


with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
close(schema)
validator = jsonschema.Draft202012Validator(schema)
failed = False
for name in sys.argv[2:]:
    with open(name, encoding="utf-8") as file:
        document = json.load(file)
    for error in validator.iter_errors(document):
        failed = True
        print(f"{name}: {error.json_path}: {error.message}")
sys.exit(failed)
END
