"""schemathesis over openapi.json with every check that it has: whatever it makes of the description, right and wrong,
is answered as described, one account never sees another's, and nothing breaks the server."""

import copy
import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conftest import IS_LONG

OPENAPI = json.loads((Path(__file__).parents[3] / "openapi.json").read_text())

# Many short runs, each against a demo of its own: the server rightly stops answering an address that has tried a
# hundred wrong keys, and trying wrong keys is one of the checks.
RUNS = 5 if IS_LONG else 1
CASES_PER_OPERATION = 20
LEAST_CASES = 3_000 if IS_LONG else 300

# Ids of the demo, by its numbering (rows, connections at SSO, invitations), and one that is nobody's.
NOBODYS = "0123456789abcdef01234567"
IDS = [f"{kind}{number:023x}" for kind in "bcf" for number in range(1, 12)] + [NOBODYS]
# A connection that SSO alone has, until it is repaired, and one that has a row.
MISSING, PRESENT = f"c{9:023x}", f"c{1:023x}"

# What must have been met at least once, or the cases were too poor to judge by.
WANTED = {
    "GET /connections": {200, 304, 400, 401},
    "HEAD /connections": {200, 304, 400, 401},
    "POST /connections": {201, 400, 401, 409, 415, 422},
    "GET /connections/{id}": {200, 304, 400, 401, 404},
    "HEAD /connections/{id}": {200, 304, 400, 401, 404},
    "GET /livez": {200},
    "GET /readyz": {200},
    "GET /metrics": {200},
}

met = Counter()


def with_examples_of_the_demo():
    """The description, but for its examples: those in its place lead to every kind of answer in the demo."""
    document = copy.deepcopy(OPENAPI)
    body = document["paths"]["/connections"]["post"]["requestBody"]["content"]["application/json"]
    del body["example"]
    wanted = {"missing": MISSING, "present": PRESENT, "nobodys": NOBODYS}
    body["examples"] = {name: {"value": {"connection_id": wanted_id}} for name, wanted_id in wanted.items()}
    for operation in document["paths"]["/connections/{id}"].values():
        parameter = next(parameter for parameter in operation["parameters"] if parameter["name"] == "id")
        del parameter["example"]
        parameter["examples"] = {"present": {"value": PRESENT}, "nobodys": {"value": NOBODYS}}
    return document


def configuration(user, credentials):
    """Settings of schemathesis. JSON's texts and lists are TOML's as well."""
    return f"""
[auth.wfc]
path = {json.dumps(str(credentials))}
user = "{user}"
# Whose objects the other must not see.
peers = ["northwind", "contoso"]

[dictionaries.ids]
values = {json.dumps(IDS)}

[dictionaries.tags]
values = ["*"]

[parameters]
"path.id" = {{ dictionary = "ids", probability = 0.5 }}
"body.connection_id" = {{ dictionary = "ids", probability = 0.5 }}
"header.If-None-Match" = {{ dictionary = "tags", probability = 0.3 }}

[checks.positive_data_acceptance]
# An id that is one may still be unknown, to LC (404), or to SSO (422); only a superuser may repair (401).
expected-statuses = ["2xx", 304, 401, 404, 409, 422]
"""


def route(method, url):
    path = urlsplit(url).path
    return f"{method} {'/connections/{id}' if path.startswith('/connections/') else path}"


@pytest.mark.parametrize("user", ["northwind", "superuser"])
@pytest.mark.parametrize("seed", [random.randrange(2**32) for _ in range(RUNS)] if IS_LONG else range(RUNS))
def test_every_answer_is_as_described(fresh_demo, tmp_path, user, seed):
    openapi, credentials = tmp_path / "openapi.json", tmp_path / "auth.json"
    settings, report = tmp_path / "schemathesis.toml", tmp_path / "calls.har"
    keys = {name: [{"name": "Authorization", "value": f"Bearer {key}"}] for name, key in fresh_demo.keys.items()}
    credentials.write_text(json.dumps({"auth": [{"name": name, "fixedHeaders": key} for name, key in keys.items()]}))
    settings.write_text(configuration(user, credentials))
    openapi.write_text(json.dumps(with_examples_of_the_demo()))
    run = [Path(sys.executable).with_name("schemathesis"), "--config-file", settings, "run", openapi]
    asked = ["--url", fresh_demo.url, "--max-examples", CASES_PER_OPERATION, "--seed", seed]
    output = ["--checks", "all", "--continue-on-failure", "--no-color", "--report", "har", "--report-har-path", report]
    # Its own folder, for what it keeps between runs.
    done = subprocess.run(
        [str(word) for word in [*run, *asked, *output]],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for entry in json.loads(report.read_text())["log"]["entries"]:
        request, response = entry["request"], entry["response"]
        met[route(request["method"], request["url"]), response["status"]] += 1


def test_enough_was_asked_and_nothing_broke():
    by_status = Counter()
    for (_, status), count in met.items():
        by_status[status] += count
    print(f"schemathesis, REST: {met.total()} cases, {dict(sorted(by_status.items()))}")
    assert met.total() >= LEAST_CASES
    assert not [status for status in by_status if status >= 500]
    missing = {name: wanted - {status for other, status in met if other == name} for name, wanted in WANTED.items()}
    assert not {name: statuses for name, statuses in missing.items() if statuses}
