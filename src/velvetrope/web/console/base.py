"""What all pages of the console share: capped lists, POST-only actions, records to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from velvetrope.domain.errors import VelvetError
from velvetrope.domain.validation import Invalid
from velvetrope.usecases.operations import GrantRefusedError, OrderRefusedError
from velvetrope.web.console.asking import Question, ask
from velvetrope.web.console.paging import CappedChangeList, CappedPaginator
from velvetrope.web.console.vendor import ModelAdmin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.contrib.admin.views.main import ChangeList

    from velvetrope.web.console.pieces import Record

M = TypeVar("M", bound=Model)

CSRF_FIELD = "csrfmiddlewaretoken"
#: What an action may refuse with; the words are fit to be shown.
REFUSALS = (Invalid, GrantRefusedError, OrderRefusedError, VelvetError)


@dataclass(frozen=True, slots=True)
class PageAction(Generic[M]):
    """A button on a row's page. It always is a POST; `question` is asked before, if given."""

    name: str
    label: str
    #: Does it; gives what to tell the operator.
    run: Callable[[HttpRequest, M], str]
    question: str = ""
    look: Literal["default", "primary", "danger"] = "default"
    shown: Callable[[M], bool] = lambda _row: True
    #: The page has a form of its own for it, beside the buttons.
    has_form: bool = False


class ConsoleAdmin(ModelAdmin[M]):
    """Lists without counting, no deletion, actions by POST, history in the audit log."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    actions = None
    list_filter_sheet = True
    compressed_fields = True
    warn_unsaved_form = True
    view_on_site = False
    #: In the address of the audit log: what entries call these rows.
    audit_subject = ""
    #: What an empty list says.
    nothing_yet = "Nothing yet."

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CappedChangeList

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def page_actions(self, request: HttpRequest) -> Sequence[PageAction[M]]:
        return ()

    def name_of(self, row: M) -> str:
        """Name a row as its page does."""
        return str(row)

    def may_act(self, request: HttpRequest) -> bool:
        """Tell whether the operator may change such rows by actions, read-only forms or not."""
        return request.user.has_perm(f"store.change_{self.opts.model_name}")

    def shown_actions(self, request: HttpRequest, row: M) -> list[PageAction[M]]:
        if not self.may_act(request):
            return []
        return [action for action in self.page_actions(request) if action.shown(row)]

    def buttons(self, request: HttpRequest, row: M) -> list[tuple[PageAction[M], str]]:
        """Give the actions of a row's page with the addresses that they are posted to."""
        shown = self.shown_actions(request, row)
        return [(one, self.action_url(row, one)) for one in shown if not one.has_form]

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_do"
        return [
            path(
                "<path:object_id>/do/<slug:action_name>/",
                self.admin_site.admin_view(self.action_view),
                name=name,
            ),
            *super().get_urls(),
        ]

    def action_view(self, request: HttpRequest, object_id: str, action_name: str) -> HttpResponse:
        """Run an action, after asking its question; GET does nothing."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.may_act(request):
            raise PermissionDenied
        row = self.row_or_404(request, object_id)
        found = [one for one in self.shown_actions(request, row) if one.name == action_name]
        if not found:
            messages.error(request, "That can't be done any more: something has changed since.")
            return redirect(self.page_of(row))
        action = found[0]
        if action.question and "confirmed" not in request.POST:
            return self.ask(request, row, action)
        try:
            messages.success(request, action.run(request, row))
        except REFUSALS as refusal:
            messages.error(request, words_of(refusal))
        return redirect(self.page_of(row))

    def ask(self, request: HttpRequest, row: M, action: PageAction[M]) -> HttpResponse:
        question = Question(
            title=action.label,
            subject=self.name_of(row),
            words=action.question,
            label=action.label,
            look=action.look,
            post_to=request.path,
            back=self.page_of(row),
            fields=[
                (name, str(value)) for name, value in request.POST.items() if name != CSRF_FIELD
            ],
        )
        return ask(request, self.admin_site, question)

    def action_url(self, row: M, action: PageAction[M] | str) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_do"
        return reverse(name, args=[row.pk, action if isinstance(action, str) else action.name])

    def page_of(self, row: M) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])

    def row_or_404(self, request: HttpRequest, object_id: str) -> M:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Lead to the audit log, which knows more than Django's own history."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        subject = self.audit_subject or self.opts.model_name
        return redirect(f"{reverse('admin:store_auditentry_changelist')}?q={subject}:{object_id}")

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Leave it to the audit log."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Leave it to the audit log."""


class RecordAdmin(ConsoleAdmin[M]):
    """Rows that the product owns: to be read, never to be edited by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def record(self, request: HttpRequest, row: M) -> Record:
        """Say what the page of a row shows."""
        raise NotImplementedError

    def rows_for_page(self, rows: QuerySet[M]) -> QuerySet[M]:
        """Add what the page needs, such as `select_related`."""
        return rows

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        row = self.row_or_404(request, object_id)
        record = self.record(request, row)
        context = {
            **self.admin_site.each_context(request),
            "title": record.title,
            "record": record,
            "actions": self.buttons(request, row),
            "audit_url": reverse(f"admin:store_{self.opts.model_name}_history", args=[row.pk]),
            "list_url": reverse(f"admin:store_{self.opts.model_name}_changelist"),
            "list_name": self.opts.verbose_name_plural,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "console/record.html", context)

    def row_or_404(self, request: HttpRequest, object_id: str) -> M:
        try:
            key = self.opts.pk.to_python(object_id)
            return self.rows_for_page(self.get_queryset(request)).get(pk=key)
        except (ObjectDoesNotExist, ValueError, OverflowError, ValidationError):
            raise Http404 from None


def words_of(refusal: Exception) -> str:
    return refusal.remedy if isinstance(refusal, Invalid) else str(refusal)
