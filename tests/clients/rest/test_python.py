"""openapi-generator's python client and datamodel-code-generator's models, from either description, against the demo with
odd values; and PyPI's validators of OpenAPI, by whose 3.0 `nullable` counts beside a type alone.

A client that cannot read one value cannot read the list:
<https://github.com/OpenAPITools/openapi-generator/issues/17789>.
"""

import importlib
import json
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path
from types import SimpleNamespace

import pytest
import urllib3
from openapi_schema_validator import OAS30Validator, OAS31Validator
from openapi_spec_validator import validate
from pydantic import TypeAdapter

HERE = Path(__file__).parent
VERSIONS = ["3.1", "3.0"]
# In SSO alone until a superuser repairs it.
MISSING, PRESENT, NOBODYS = f"c{9:023x}", f"c{1:023x}", "f" * 24


@pytest.fixture(scope="module", params=VERSIONS)
def version(request):
    return request.param


@pytest.fixture(scope="module")
def demo(version):
    """One for each version, since a connection is repaired once."""
    with subprocess.Popen(
        ["node", HERE / "support" / "odd-demo.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        where = process.stdout.readline()
        assert where, "the demo did not come up; its standard error says why"
        yield SimpleNamespace(**json.loads(where))
        process.stdin.close()
        assert process.wait(timeout=20) == 0


@contextmanager
def scenario(demo, name):
    def put(name):
        assert urllib3.request("PUT", f"{demo.ssoUrl}/__scenario", json={"scenario": name}).status < 300

    put(name)
    try:
        yield
    finally:
        put("ok")


def raw(demo, path, key="northwind"):
    return urllib3.request("GET", f"{demo.url}{path}", headers={"Authorization": f"Bearer {demo.keys[key]}"}).json()


def on_the_wire(value):
    """A value as it was on the wire, where a client has made a datetime of it, or a word of an enumeration."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z".zfill(24)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [on_the_wire(element) for element in value]
    if isinstance(value, dict):
        return {name: on_the_wire(part) for name, part in value.items()}
    return value


def client(version, demo, holder):
    """The generated package, its API of connections as the holder of a key, who may be nobody."""
    name = f"client_{version.replace('.', '_')}"
    folder = str(HERE / "generated" / version / "python")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    package = importlib.import_module(name)
    key = demo.keys.get(holder, holder)
    configuration = package.Configuration(host=demo.url, username="" if key else None, password=key)
    return package, package.ConnectionsApi(package.ApiClient(configuration))


def test_the_client_reads_the_list_and_each_connection_as_they_are_on_the_wire(version, demo):
    package, api = client(version, demo, "northwind")
    entries = [on_the_wire(entry.to_dict()) for entry in api.list_connections()]
    assert entries == raw(demo, "/connections")
    # So odd values were compared.
    contoso = next(entry for entry in entries if entry["connected_account"]["name"] == "Contoso Leads")
    entity = contoso["account_entity"]
    assert (entity["website"], entity["source"], contoso["ui_state"]) == ("www.contoso.example", "magic", ["odd"])
    for word in package.RelationshipType:
        buyers = [on_the_wire(entry.to_dict()) for entry in api.list_connections(relationship_type=word)]
        assert buyers == raw(demo, f"/connections?relationship_type={word.value}") != []
    for number in range(1, 9):
        one = api.get_connection(f"b{number:023x}")
        assert on_the_wire(one.to_dict()) == raw(demo, f"/connections/b{number:023x}")


def test_the_client_tells_that_the_list_is_degraded(version, demo):
    _, api = client(version, demo, "northwind")
    with scenario(demo, "down"):
        answer = api.list_connections_with_http_info()
    assert len(answer.data) == 8
    # The client keeps names of headers as they came.
    assert answer.headers["x-connections-degraded"] == "true"
    assert all(entry.permissions == [] for entry in answer.data)


def test_the_client_repairs_and_reads_each_refusal(version, demo):
    package, superuser = client(version, demo, "superuser")
    created = superuser.repair_connection(package.RepairRequest(connection_id=MISSING))
    assert superuser.get_connection(created.id).external_id == MISSING

    def request(connection_id):
        # As a program does that passes on what it was given: the model itself refuses what is no id.
        return package.RepairRequest.model_construct(connection_id=connection_id)

    def refusal(call, *arguments):
        with pytest.raises(package.ApiException) as refused:
            call(*arguments)
        return refused.value.status, refused.value.data.error

    def repair(holder, connection_id):
        return refusal(client(version, demo, holder)[1].repair_connection, request(connection_id))

    assert repair("superuser", "nonsense")[0] == 400
    assert refusal(client(version, demo, None)[1].list_connections) == (401, "authentication failed")
    assert refusal(client(version, demo, "lck_nonsense")[1].get_connection, PRESENT) == (401, "authentication failed")
    assert repair("northwind", PRESENT) == (401, "not authorized")
    assert refusal(superuser.get_connection, NOBODYS) == (404, "connection not found")
    assert repair("superuser", PRESENT)[0] == 409
    assert repair("superuser", NOBODYS)[0] == 422
    with scenario(demo, "down"):
        assert repair("superuser", NOBODYS)[0] == 503


def test_datamodel_code_generators_models_read_every_body(version, demo):
    sys.modules.pop("models", None)
    sys.path.insert(0, str(HERE / "generated" / version))
    try:
        models = importlib.import_module("models")
    finally:
        sys.path.pop(0)

    def reads(model, body):
        read = TypeAdapter(model).validate_python(body)
        assert on_the_wire(TypeAdapter(model).dump_python(read, exclude_unset=True)) == body

    reads(list[models.ListedConnection], raw(demo, "/connections"))
    for number in range(1, 9):
        reads(models.SingleConnection, raw(demo, f"/connections/b{number:023x}"))
    reads(models.ErrorBody, raw(demo, f"/connections/{NOBODYS}"))
    reads(models.HealthBody, raw(demo, "/readyz"))


def test_the_description_is_valid_and_so_is_what_the_server_sends(version, demo):
    path, validator = {"3.1": ("/openapi.json", OAS31Validator), "3.0": ("/openapi-3.0.json", OAS30Validator)}[version]
    document = raw(demo, path)
    assert document["openapi"].startswith(version)
    validate(document)
    schemas = document["components"]["schemas"]

    def errors(schema, body):
        held = validator({**schema, "components": {"schemas": schemas}}, format_checker=validator.FORMAT_CHECKER)
        return [f"{error.json_path}: {error.message}" for error in held.iter_errors(body)]

    content = document["components"]["responses"]["ReconciledList"]["content"]
    list_schema = content["application/json"]["schema"]
    assert errors(list_schema, raw(demo, "/connections")) == []
    for number in range(1, 9):
        assert errors(schemas["SingleConnection"], raw(demo, f"/connections/b{number:023x}")) == []
    # The validator does look.
    assert errors(list_schema, [{}]) and errors(list_schema, {"degraded": False, "connections": []})


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("rust/src/apis/connections_api.rs", "Result<Vec<models::ListedConnection>,"),
        ("java/src/main/java/org/openapitools/client/api/ConnectionsApi.java", "List<ListedConnection>"),
    ],
)
def test_a_client_that_is_not_compiled_here_is_generated_with_a_list_of_one_shape(version, file, expected):
    folder = HERE / "generated" / version
    assert expected in (folder / file).read_text()
    names = [path.stem for path in (folder / file.split("/")[0]).rglob("*.*")]
    assert len(names) > 20 and not [name for name in names if "AnyOf" in name or "OneOf" in name]
