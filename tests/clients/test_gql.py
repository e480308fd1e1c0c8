"""Python's gql, with the httpx transport. It fetches the schema, checks documents and parses answers by it."""

import json
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport
from graphql import build_schema, lexicographic_sort_schema, print_schema

HERE = Path(__file__).parent
# In SSO alone until a superuser repairs it.
SSO_ONLY = "c00000000000000000000009"


def document(name):
    texts = [(HERE / "documents" / f"{part}.graphql").read_text() for part in (name, "partnership")]
    return gql("\n".join(texts))


CONNECTIONS = document("connections")
REPAIR = document("repair")


class Demo:
    def __init__(self, url, ssoUrl, keys):
        self.url, self.sso_url, self.keys = url, ssoUrl, keys

    def rest_list(self):
        answer = httpx.get(f"{self.url}/connections", auth=("", self.keys["northwind"]))
        return answer.raise_for_status().json()

    @contextmanager
    def scenario(self, name):
        httpx.put(f"{self.sso_url}/__scenario", json={"scenario": name}).raise_for_status()
        try:
            yield
        finally:
            httpx.delete(f"{self.sso_url}/__scenario").raise_for_status()


@pytest.fixture(scope="module")
def demo():
    with subprocess.Popen(
        ["node", HERE.parent / "support" / "demo.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        where = process.stdout.readline()
        assert where, "the demo did not come up; its standard error says why"
        yield Demo(**json.loads(where))
        process.stdin.close()
        assert process.wait(timeout=20) == 0


def client(demo, key, **options):
    headers = {"Authorization": f"Bearer {demo.keys[key]}"} if key else {}
    return Client(transport=HTTPXTransport(f"{demo.url}/graphql", headers=headers), **options)


@pytest.fixture
def northwind(demo):
    return client(demo, "northwind", fetch_schema_from_transport=True, parse_results=True)


@pytest.fixture
def superuser(demo):
    return client(demo, "superuser", fetch_schema_from_transport=True, parse_results=True)


def send(client, document, **variables):
    return client.execute(GraphQLRequest(document, variable_values=variables))


def nodes(data):
    return [edge["node"] for edge in data["connections"]["edges"]]


ENUMS = {"status", "relationship_type", "connected", "source", "recipient"}


def translate(value):
    if isinstance(value, list):
        return [translate(element) for element in value]
    if not isinstance(value, dict):
        return value
    renamed = {re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name): part for name, part in value.items()}
    return {name: part.lower() if name in ENUMS and part else translate(part) for name, part in renamed.items()}


def as_rest(node):
    """A Partnership as an entry of REST's list, as in support/as-rest.mjs."""
    ours = ("id", "connectionId", "uiState", "permissions")
    return translate({name: value for name, value in node.items() if name not in ours}) | {
        "id": node["connectionId"],
        "ui_state": node["uiState"]["raw"],
        "permissions": node["permissions"] or [],
    }


def test_it_reads_the_list_with_its_nested_entities_equal_to_rest_in_every_field(demo, northwind):
    data = send(northwind, CONNECTIONS, first=20)
    assert [as_rest(node) for node in nodes(data)] == demo.rest_list()
    assert data["connections"]["totalCount"] == 10
    assert data["connections"]["degraded"] is False
    assert nodes(data)[0]["accountEntity"]["connected"] == "SELLER"
    assert [card["name"] for card in nodes(data)[0]["customEntities"]] == ["Contoso, home insurance", "Contoso, returns"]


def test_it_reads_page_after_page_to_the_end_each_connection_once_in_order(demo, northwind):
    pages, page_info = [], {"hasNextPage": True, "endCursor": None}
    while page_info["hasNextPage"]:
        data = send(northwind, CONNECTIONS, first=3, after=page_info["endCursor"])
        pages.append([node["connectionId"] for node in nodes(data)])
        page_info = data["connections"]["pageInfo"]
    assert [len(page) for page in pages] == [3, 3, 3, 1]
    assert sum(pages, []) == [entry["id"] for entry in demo.rest_list()]


def test_it_reads_degraded_data_while_sso_is_down_without_an_error(demo, northwind):
    with demo.scenario("down"):
        data = send(northwind, CONNECTIONS, first=20)
        assert [as_rest(node) for node in nodes(data)] == demo.rest_list()
    assert data["connections"]["degraded"] is True
    assert [node["permissions"] for node in nodes(data)] == [None] * 8
    assert northwind.transport.response_headers["x-connections-degraded"] == "true"


def test_it_is_answered_with_the_media_type_that_httpx_asks_for(northwind):
    send(northwind, CONNECTIONS, first=1)
    # httpx says `Accept: */*`.
    assert northwind.transport.response_headers["content-type"] == "application/json; charset=utf-8"


def test_a_superuser_repairs_a_connection_once_and_is_then_refused_with_data(demo, superuser):
    before = {node["connectionId"]: node for node in nodes(send(superuser, CONNECTIONS, first=20))}
    assert before[SSO_ONLY]["status"] == "SSO_ONLY"

    repaired = send(superuser, REPAIR, input={"connectionId": SSO_ONLY, "reason": "lost message"})["repairConnection"]
    assert (repaired["outcome"], repaired["userErrors"]) == ("CREATED", [])
    assert as_rest(repaired["partnership"]) in demo.rest_list()
    assert repaired["partnership"]["id"] == before[SSO_ONLY]["id"]

    refused = send(superuser, REPAIR, input={"connectionId": SSO_ONLY})["repairConnection"]
    assert (refused["outcome"], refused["partnership"]) == (None, None)
    [error] = refused["userErrors"]
    assert (error["code"], error["field"], error["retryable"]) == ("ALREADY_EXISTS", ["connectionId"], False)
    assert error["existing"] == {
        "id": repaired["partnership"]["id"],
        "connectionId": repaired["partnership"]["connectionId"],
        "status": "COMPLETED",
    }


def code(refusal):
    return refusal.value.errors[0]["extensions"]["code"]


def test_it_tells_a_cursor_that_is_none(northwind):
    with pytest.raises(TransportQueryError) as refusal:
        send(northwind, CONNECTIONS, first=3, after="nonsense")
    assert code(refusal) == "CURSOR_INVALID"


def test_it_tells_that_a_key_is_missing(demo):
    nobody = client(demo, None)
    with pytest.raises(TransportQueryError) as refusal:
        send(nobody, CONNECTIONS, first=3)
    assert code(refusal) == "UNAUTHENTICATED"
    assert nobody.transport.response_headers["www-authenticate"].startswith("Bearer")


def test_the_schema_that_it_fetches_is_the_committed_one(northwind):
    send(northwind, CONNECTIONS, first=1)
    committed = build_schema((HERE.parent.parent / "schema.graphql").read_text())
    fetched, expected = (print_schema(lexicographic_sort_schema(schema)) for schema in (northwind.schema, committed))
    assert fetched == expected
