"""One request to the API, decoded and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import listing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .account import Account
    from .shapes import Obj


@dataclass(frozen=True, slots=True)
class Call:
    """What a resource gets: the account, the typed parameters, the ids in the path."""

    account: Account
    params: Obj
    ids: tuple[str, ...]
    path: str
    base_url: str

    @property
    def id(self) -> str:
        return self.ids[0]

    def own(self, kind: str) -> Obj:
        """Give the object that the path names."""
        return self.account.get(kind, self.id)

    def page(self, objects: Iterable[Obj]) -> Obj:
        """Answer a list."""
        return listing.page(objects, self.params, self.path)

    def filtered(self, kind: str, *names: str) -> Obj:
        """Answer a list of a kind, filtered by members that are named as parameters are."""
        return self.page(listing.matching(self.account.all(kind), self.params, *names))


def merge_metadata(obj: Obj, changes: Obj | str) -> None:
    """Apply a `metadata` parameter: an empty value drops a key, an empty parameter drops all."""
    if isinstance(changes, str):
        obj["metadata"] = {}
        return
    merged = {**obj["metadata"], **changes}
    obj["metadata"] = {key: value for key, value in merged.items() if value != ""}


def apply(obj: Obj, params: Obj, *names: str) -> None:
    """Set plain members from parameters of the same name; emptied ones become null."""
    if "metadata" in params:
        merge_metadata(obj, params["metadata"])
    for name in names:
        if name in params:
            obj[name] = None if params[name] == "" else params[name]
