from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from aiogram import methods as aiogram_methods

from velvetrope.sandbox.telegram.methods import METHODS

if TYPE_CHECKING:
    from tests.sandbox.telegram.place import Place


@pytest.fixture
def ready(place: Place) -> Place:
    place.start()
    return place


def test_parameters_come_as_json_form_multipart_or_query(ready: Place) -> None:
    path = f"/bot{ready.token}/sendMessage"
    markup = json.dumps({"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]})
    flat = {"chat_id": str(ready.ann), "text": "привіт", "reply_markup": markup}
    parts = {name: (None, value) for name, value in flat.items()}
    answers = [
        ready.phone.post(path, data=flat),
        ready.phone.post(path, files=parts),
        ready.phone.get(path, params=flat),
        ready.phone.post(path, json={**flat, "chat_id": ready.ann}),
    ]
    for answer in answers:
        result = answer.json()["result"]
        assert result["text"] == "привіт"
        assert result["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "b"


def test_methods_are_found_in_any_case(place: Place) -> None:
    assert place.call("getme")["id"] == place.bot_id


def test_an_unknown_parameter_is_refused_unless_the_knob_allows_it(ready: Place) -> None:
    params = {"chat_id": ready.ann, "text": "x", "colour": "red"}
    answer = ready.refusal("sendMessage", **params)
    assert answer.status == 400
    assert "`colour`" in answer.description
    ready.faults(strict=False)
    ready.call("sendMessage", **params)


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": 5},
        {"chat_id": 1.5},
        {"chat_id": None},
        {"chat_id": [1]},
        {"disable_notification": "yes"},
        {"reply_markup": []},
        {"parse_mode": 1},
        {"entities": {}},
        {"reply_parameters": {"message": 1}},
    ],
)
def test_a_wrong_type_is_refused(ready: Place, wrong: dict[str, object]) -> None:
    params = {"chat_id": ready.ann, "text": "x", **wrong}
    assert ready.refusal("sendMessage", **params).status == 400


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b'{"text": "\xff"}', b"null"])
def test_a_body_that_is_no_object_is_refused(ready: Place, body: bytes) -> None:
    answer = ready.phone.post(
        f"/bot{ready.token}/sendMessage",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["ok"]) == (400, False)


def test_every_parameter_is_one_that_aiogram_knows() -> None:
    for method in METHODS.values():
        model = getattr(aiogram_methods, method.name[0].upper() + method.name[1:])
        unknown = set(method.params.__struct_fields__) - set(model.model_fields)
        assert not unknown, method.name


def test_every_parameter_that_aiogram_requires_is_required() -> None:
    for method in METHODS.values():
        model = getattr(aiogram_methods, method.name[0].upper() + method.name[1:])
        required = {name for name, field in model.model_fields.items() if field.is_required()}
        optional = {
            name
            for name, default in zip(
                reversed(method.params.__struct_fields__),
                reversed(method.params.__struct_defaults__),
                strict=False,
            )
            if default.__class__.__name__ != "NoDefaultType"
        }
        assert not required & optional, method.name
