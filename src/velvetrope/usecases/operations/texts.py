"""An integration's own wording of what its customers read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from velvetrope.domain import validation
from velvetrope.domain.validation import Invalid
from velvetrope.store.models import Integration, TextOverride
from velvetrope.usecases.audit import record
from velvetrope.usecases.wording.texts import check_override

if TYPE_CHECKING:
    from velvetrope.usecases.audit import Plain


def save_text(integration_id: int, language: str, key: str, text: str, actor: str) -> int:
    """Keep the wording, new or in place of the last one; gives the row's id. Raises Invalid."""
    language = validation.language(language)
    cleaned = check_override(language, key, text)
    with transaction.atomic():
        if not Integration.objects.filter(id=integration_id).exists():
            raise Invalid("integration_unknown", "integration", "", "Choose an integration.")
        row = TextOverride.objects.filter(
            integration_id=integration_id, language=language, key=key
        ).first()
        before: dict[str, Plain] | None = None if row is None else {"text": row.text}
        if row is None:
            row = TextOverride(integration_id=integration_id, language=language, key=key)
        elif row.text == cleaned:
            return row.id
        row.text = cleaned
        row.save()
        record(
            actor,
            "text.changed" if before else "text.added",
            subject="text",
            subject_id=f"{language}/{key}",
            integration_id=integration_id,
            before=before,
            after={"text": cleaned},
        )
    return row.id


def remove_text(text_id: int, actor: str) -> None:
    """Go back to the product's own wording; DoesNotExist for an unknown id."""
    with transaction.atomic():
        row = TextOverride.objects.get(id=text_id)
        record(
            actor,
            "text.removed",
            subject="text",
            subject_id=f"{row.language}/{row.key}",
            integration_id=row.integration_id,
            before={"text": row.text},
        )
        row.delete()
