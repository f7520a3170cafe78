"""One reader's words: the texts and formats of an integration in a language at a moment."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar

from velvetrope.usecases.wording.formats import Formats
from velvetrope.usecases.wording.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from datetime import datetime

    from velvetrope.store.catalogue import ChatView, IntegrationView, PlanView
    from velvetrope.usecases.wording.outgoing import Html

T = TypeVar("T")

#: Enough for every integration that is busy at one time; an entry is a few kilobytes.
BOOKS_KEPT: Final = 2048
#: Names are written by operators; longer ones would push the rest out of a phone's sight.
LONGEST_NAME: Final = 64
LONGEST_NAME_ON_BUTTON: Final = 32
CHATS_NAMED: Final = 5


class Book:
    """What is the same for all readers of one integration and language, made once."""

    __slots__ = ("formats", "pieces", "texts")

    def __init__(self, view: IntegrationView, language: str) -> None:
        self.texts = Texts(language, view.texts)
        self.formats = Formats(self.texts, view.time_zone)
        self.pieces: dict[Hashable, object] = {}


class Bookshelf:
    """The books of the views that were used last; a view that changed is another object."""

    def __init__(self, kept: int = BOOKS_KEPT) -> None:
        self._kept = kept
        self._books: OrderedDict[tuple[int, str], tuple[IntegrationView, Book]] = OrderedDict()
        self._lock = Lock()

    def book(self, view: IntegrationView, language: str) -> Book:
        # By identity, since views hold mappings; the entry keeps its view, so its id stays taken.
        key = (id(view), language)
        with self._lock:
            known = self._books.get(key)
            if known is not None:
                self._books.move_to_end(key)
                return known[1]
        book = Book(view, language)
        with self._lock:
            self._books[key] = (view, book)
            while len(self._books) > self._kept:
                self._books.popitem(last=False)
        return book


_shelf = Bookshelf()


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that a message needs to know of its reader; cheap to make for each event."""

    view: IntegrationView
    language: str
    now: datetime
    book: Book = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "book", _shelf.book(self.view, self.language))

    def text(self, key: str, **values: str | int) -> Html:
        """Give a text as HTML; values are escaped unless they are HTML."""
        return self.book.texts.text(key, values)

    def count(self, key: str, number: int, **values: str | int) -> Html:
        """Give the form of a text that goes with `number`, which is its `{count}`."""
        return self.book.texts.count(key, number, values)

    def plain(self, key: str, **values: str | int) -> str:
        """Give a text for places that know no HTML: buttons, toasts, the bot's profile."""
        return self.book.texts.plain(key, values)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Make a piece that depends on the view and the language only, and keep it."""
        pieces = self.book.pieces
        if key not in pieces:
            pieces[key] = make()
        return pieces[key]  # type: ignore[return-value]  # the key is used with this `make` only

    def date(self, moment: datetime) -> str:
        return self.book.formats.date(moment, self.now)

    def day(self, moment: datetime) -> str:
        """Give a day alone, for texts that are read on other days, too."""
        return self.book.formats.day(moment)

    def money(self, amount: int, currency: str) -> str:
        """Write an amount in minor units."""
        return self.book.formats.money(amount, currency)

    def price(self, plan: PlanView) -> str:
        """Give the price with its period: «€9.00 per month»."""
        return self.once(("price", *_price_of(plan)), lambda: self.book.formats.price(plan))

    def amount(self, plan: PlanView) -> str:
        """Give the price alone: «€9.00», or empty if the plan has no fixed one."""
        return self.once(("amount", *_price_of(plan)), lambda: self.book.formats.amount(plan))

    def plan_name(self, plan: PlanView, longest: int = LONGEST_NAME) -> str:
        return shortened(plan.name, longest) or self.plain("button.unnamed_plan")

    def chat_name(self, chat: ChatView, longest: int = LONGEST_NAME) -> str:
        return shortened(chat.title, longest) or self.plain(f"button.unnamed_{chat.kind.value}")

    def plan_names(self, plans: Sequence[PlanView]) -> Html:
        names = [
            self.book.texts.text("name", {"name": self.plan_name(plan)})
            for plan in plans[:CHATS_NAMED]
        ]
        return self.book.formats.listing(names)

    def chat_names(self, chats: Sequence[ChatView]) -> Html:
        """Name chats in bold: «A, B and C», or a few of them and how many more there are."""
        names = [
            self.book.texts.text("name", {"name": self.chat_name(chat)})
            for chat in chats[:CHATS_NAMED]
        ]
        if more := len(chats) - len(names):
            names.append(self.count("chats.more", more))
        return self.book.formats.listing(names)


def shortened(name: str, longest: int) -> str:
    """Bring a name onto one line of at most `longest` characters."""
    line = " ".join(name.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _price_of(plan: PlanView) -> tuple[int, int | None]:
    """Tell a plan from the same one whose price is left out, since another amount is billed."""
    return plan.id, plan.unit_amount
