"""schemathesis in its GraphQL mode: whatever it makes of the schema, right and wrong, is answered as it should be, with no
error but those that the contract knows, and never breaks the server."""

from collections import Counter

import graphql
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.graphql import nodes
from schemathesis.specs.openapi.checks import positive_data_acceptance

from conftest import IS_LONG

POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE

CASES_PER_OPERATION = 200 if IS_LONG else 15
LEAST_CASES = 4_000 if IS_LONG else 300

# What the contract refuses although the schema lets it through: both `first` and `last`, a cursor of no list, a document
# beyond the limits, what only superusers may. To schemathesis that is an error of the server's or the document's.
REFUSED_IN_EXECUTION = {"BAD_USER_INPUT", "CURSOR_INVALID", "LIMIT_EXCEEDED", "SUPERUSER_REQUIRED"}
REFUSED_BEFORE = {"LIMIT_EXCEEDED"}
CHECKS_OF_REFUSALS = [not_a_server_error, positive_data_acceptance]

# Ids of the demo, by its numbering (accounts, rows, connections at SSO, invitations), and some that are nobody's.
IDS = [f"{kind}{number:023x}" for kind in "abcf0" for number in range(1, 12)]
INSTANTS = st.datetimes().map(lambda time: time.isoformat())
OFFSETS = st.sampled_from(["Z", "+00:00", "-05:00", "+05:45"])

schemathesis.graphql.scalar(
    "ObjectID", st.one_of(st.sampled_from(IDS), st.from_regex(r"[0-9a-fA-F]{24}", fullmatch=True)).map(nodes.String)
)
schemathesis.graphql.scalar("DateTime", st.tuples(INSTANTS, OFFSETS).map("".join).map(nodes.String))

cases = Counter()


class WithoutPlace(graphql.Visitor):
    """Takes out of a document what would make nearly each of them a refusal: random cursors, and `last` beside `first`."""

    def enter_argument(self, node, *_):
        return graphql.REMOVE if node.name.value in {"after", "before", "last"} else None


def mostly_answered(case, is_as_made):
    if not is_as_made:
        case.body = graphql.print_ast(graphql.visit(graphql.parse(case.body), WithoutPlace()))
    return case


def judge(case):
    response = case.call()
    answer = response.json()
    is_negative = case.meta.generation.mode.is_negative
    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    if "data" in answer:
        assert response.status_code == 200
        assert codes <= REFUSED_IN_EXECUTION, answer
    else:
        assert response.status_code == 400
        assert codes <= ({"GRAPHQL_VALIDATION_FAILED"} if is_negative else REFUSED_BEFORE), answer
    case.validate_response(response, excluded_checks=CHECKS_OF_REFUSALS if codes and not is_negative else [])
    cases["wrong" if is_negative else "refused" if codes else "answered"] += 1


@pytest.mark.parametrize("mode", [POSITIVE, NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("key", ["northwind", "superuser"])
def test_whatever_is_asked_is_answered(demo, key, mode):
    headers = {"Authorization": f"Bearer {demo.keys[key]}", "Accept": "application/graphql-response+json"}
    schema = schemathesis.graphql.from_url(f"{demo.url}/graphql", headers=headers)
    schema.config.update(headers=headers)
    for operation in schema.get_all_operations():
        made = operation.ok().as_strategy(generation_mode=mode)

        @settings(
            max_examples=CASES_PER_OPERATION,
            deadline=None,
            derandomize=not IS_LONG,
            suppress_health_check=list(HealthCheck),
        )
        @given(made if mode is NEGATIVE else st.builds(mostly_answered, made, st.sampled_from([False, False, True])))
        def ask(case):
            judge(case)

        ask()


def test_enough_was_asked():
    total = cases.total()
    print(f"schemathesis, GraphQL: {total} cases, {dict(cases)}")
    assert total >= LEAST_CASES
    assert min(cases["answered"], cases["wrong"]) > LEAST_CASES / 5
