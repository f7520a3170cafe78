"""Stripe's error answers, word for word where callers read them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .shapes import Obj

_DOCS = "https://stripe.com/docs/error-codes/"


class ApiError(Exception):
    """An answer other than 200, with the members of Stripe's `error` object."""

    def __init__(
        self,
        message: str,
        *,
        status: int = HTTPStatus.BAD_REQUEST,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        self.status = int(status)
        self.error: Obj = {"message": message, "type": kind}
        if code is not None:
            self.error |= {"code": code, "doc_url": _DOCS + code.replace("_", "-")}
        if param is not None:
            self.error["param"] = param
        self.error |= extra or {}
        super().__init__(message)

    def body(self, request_id: str) -> Obj:
        """Give the JSON that travels; `request_id` names the request in the log address."""
        address = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": {**self.error, "request_log_url": address}}


def resource_missing(kind: str, ident: str, param: str) -> ApiError:
    """Tell that no object of that kind has that id; `param` is `id` when it stood in the path."""
    name = kind.replace(".", " ").replace("_", " ").removeprefix("billing portal ")
    return ApiError(
        f"No such {name}: '{ident}'",
        status=HTTPStatus.NOT_FOUND if param == "id" else HTTPStatus.BAD_REQUEST,
        code="resource_missing",
        param=param,
    )


def parameter_missing(param: str) -> ApiError:
    return ApiError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def parameter_unknown(param: str) -> ApiError:
    return ApiError(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def parameters_exclusive(first: str, second: str) -> ApiError:
    return ApiError(
        f"You may only specify one of these parameters: {first}, {second}.",
        code="parameters_exclusive",
        param=first,
    )


def invalid(message: str, param: str) -> ApiError:
    return ApiError(message, param=param)


def card_declined(decline_code: str, extra: Mapping[str, object] | None = None) -> ApiError:
    """Tell that the bank said no."""
    return ApiError(
        "Your card was declined.",
        status=HTTPStatus.PAYMENT_REQUIRED,
        kind="card_error",
        code="card_declined",
        extra={"decline_code": decline_code, "advice_code": "try_again_later", **(extra or {})},
    )
