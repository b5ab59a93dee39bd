"""OpenAPI in words: kinds, references, lists, what is needed, and examples that can be run."""

from __future__ import annotations

from typing import Any

from assay.playground.api_description import tags_of

DESCRIPTION: dict[str, Any] = {
    "paths": {
        "/things/{uid}.json": {
            "get": {
                "tags": ["things"],
                "summary": "One thing",
                "description": "One thing.\n\nMore.",
                "parameters": [
                    {"name": "uid", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "q", "in": "query", "schema": {"type": "string", "maxLength": 9, "default": "x"}},
                    {"name": "n", "in": "query", "schema": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "422": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
                },
            },
            "post": {"summary": "Change it", "responses": {}},
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "description": "its name"},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                    "kind": {"enum": ["a", "b"]},
                    "self": {"$ref": "#/components/schemas/Thing"},
                },
            },
            "Part": {"properties": {"size": {"type": "number"}, "whole": {"$ref": "#/components/schemas/Thing"}}},
        }
    },
}


def test_operations_are_told_by_tag() -> None:
    other, things = tags_of(DESCRIPTION, "http://x")
    assert (other.name, things.name) == ("other", "things")
    (get,) = things.operations
    assert (get.method, get.path, get.summary, get.id) == (
        "GET",
        "/things/{uid}.json",
        "One thing",
        "get-things-uid-json",
    )
    assert [(each.name, each.kind, each.needed) for each in get.parameters] == [
        ("uid", "text", True),
        ("q", "text", False),
        ("n", "whole number or null", False),
    ]
    assert get.parameters[1].description == "at most characters: 9; default 'x'"


def test_answers_are_told_two_levels_deep_and_references_end() -> None:
    (get,) = tags_of(DESCRIPTION, "http://x")[1].operations
    assert [(each.name, each.kind, each.needed) for each in get.answer] == [
        ("name", "text", True),
        ("parts", "list of object", False),
        ("kind", "a | b", False),
        ("self", "object", False),
    ]
    assert [each.name for each in get.answer[1].inside] == ["size", "whole"]
    assert get.answer[1].inside[1].inside == ()


def test_examples_can_be_run() -> None:
    other, things = tags_of(DESCRIPTION, "http://x")
    assert things.operations[0].curl == "curl -G 'http://x/things/7a5cbe9a.json' --data-urlencode 'q=h100'"
    assert other.operations[0].curl == "curl -X POST -H 'Authorization: Bearer TOKEN' 'http://x/things/7a5cbe9a.json'"


def test_a_reference_to_nothing_is_nothing() -> None:
    broken = {
        "paths": {
            "/a": {
                "get": {
                    "responses": {
                        "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/No"}}}}
                    }
                }
            }
        }
    }
    assert tags_of(broken, "")[0].operations[0].answer == ()
