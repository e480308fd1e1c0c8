"""Python's sgqlc: it introspects, generates types from that, and queries by them.

Its introspection has a dozen `@include`, as https://github.com/profusion/sgqlc/issues/191 shows: a limit on directives must
let it through.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from test_gql import demo  # noqa: F401

HERE = Path(__file__).parent
BIN = HERE / "sgqlc" / ".venv" / "bin"

PROGRAM = """
import json, os
from schema import Query
from sgqlc.endpoint.http import HTTPEndpoint
from sgqlc.operation import Operation

operation = Operation(Query)
connections = operation.connections(first=2)
connections.total_count()
connections.nodes.connected_account.name()
endpoint = HTTPEndpoint(os.environ["URL"], {"Authorization": "Bearer " + os.environ["KEY"]})
answer = operation + endpoint(operation)
print(json.dumps([answer.connections.total_count, [node.connected_account.name for node in answer.connections.nodes]]))
"""


@pytest.mark.parametrize("options", [[], ["--exclude-deprecated", "--exclude-description"]])
def test_it_generates_types_by_introspection_and_queries_by_them(demo, tmp_path, options):  # noqa: F811
    url, key = f"{demo.url}/graphql", demo.keys["northwind"]
    run = lambda *command: subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True,
                                          env=os.environ | {"URL": url, "KEY": key})
    run(BIN / "python", "-m", "sgqlc.introspection", *options, "-H", f"Authorization=Bearer {key}", url, "schema.json")
    assert "errors" not in json.loads((tmp_path / "schema.json").read_text())
    run(BIN / "sgqlc-codegen", "schema", "schema.json", "schema.py")
    total, names = json.loads(run(BIN / "python", "-c", PROGRAM).stdout)
    assert (total, names) == (10, [entry["connected_account"]["name"] for entry in demo.rest_list()[:2]])
