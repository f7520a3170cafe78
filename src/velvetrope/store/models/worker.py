from __future__ import annotations

from django.db import models

from velvetrope.store.models.columns import id_field


class Worker(models.Model):
    """A process that works beside others; whoever has not been seen for a while is taken for dead.

    The id is new with each start. Only where many processes share the work.
    """

    id = id_field()
    #: `process id@host`, for people.
    name = models.CharField(max_length=255)
    version = models.CharField(max_length=32)
    started_at = models.DateTimeField()
    #: By the database's clock, the only one that all have in common.
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class LaneLease(models.Model):
    """Says which worker runs a lane: nobody else may until the row is gone or without an owner.

    A lane with nothing to run has no row. `bot:<integration>` is the delivery lane of a bot.
    """

    key = models.CharField(max_length=255, primary_key=True)
    #: The worker's id; no foreign key, since a dead worker's lanes outlive its row.
    owner = models.BigIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return self.key
