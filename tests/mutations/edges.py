"""Rules of the edges: whom the product believes, and that it loses and doubles nothing."""

from __future__ import annotations

from typing import Final

from tests.mutations.fault import Fault

EDGES: Final = (
    Fault(
        "an update that comes twice is handled once",
        "web/ingress.py",
        "            external_id=str(peek.update_id),\n",
        '            external_id=f"{peek.update_id}:{id(peek)}",\n',
        ("web/test_ingress.py",),
    ),
    Fault(
        "what a killed server had in hand is taken up again",
        "pipeline/dialect/claims.py",
        "        \" WHERE state IN ('pending', 'claimed') AND state = 'claimed'\"\n",
        "        \" WHERE state IN ('pending', 'claimed') AND state = 'nobody'\"\n",
        ("pipeline/test_crashes.py",),
        stories=30,
    ),
    Fault(
        "only who knows the secret speaks as Stripe",
        "gateways/stripe/signatures.py",
        "    if not matched:\n",
        "    if not digests:\n",
        ("gateways/stripe/test_signatures.py",),
    ),
    Fault(
        "an old signature is worth nothing",
        "gateways/stripe/signatures.py",
        "    if timestamp < now - tolerance:\n",
        "    if timestamp < 0:\n",
        ("gateways/stripe/test_signatures.py",),
    ),
    Fault(
        "only who knows the secret speaks as Telegram",
        "web/senders.py",
        "Integration.objects.filter(webhook_secret_hash__in=key).values_list",
        "Integration.objects.values_list",
        ("web/test_ingress.py",),
    ),
    Fault(
        "only allowed addresses deliver",
        "web/ingress.py",
        "            if parsed is None or not is_in(parsed, self._allowed):\n",
        "            if parsed is None:\n",
        ("web/test_ingress.py",),
    ),
    Fault(
        "a stranger can't make up their address",
        "web/addresses.py",
        (
            "        if peer is None or not is_in(peer, self._trusted):\n"
            "            return peer_text\n"
            "        found"
        ),
        "        if peer is None:\n            return peer_text\n        found",
        ("web/test_ingress_addresses.py",),
    ),
    Fault(
        "a body has a largest size, whatever it says of itself",
        "web/bodies.py",
        "            if size > self._most:\n",
        "            if size < 0:\n",
        ("web/test_ingress.py", "web/test_hostile_ingress.py"),
    ),
    Fault(
        "nothing is acknowledged that is not stored",
        "web/ingress.py",
        (
            '            raise Refusal(503, "not_stored", retry_after=2, of_stranger=False) '
            "from None\n\n"
            "    async def _judge"
        ),
        '            return "stored"\n\n    async def _judge',
        ("web/test_ingress.py",),
    ),
    Fault(
        "an event of Stripe's that comes twice is handled once",
        "pipeline/incoming.py",
        "        external_id=peek.id,\n",
        '        external_id=f"{peek.id}:{new_id()}",\n',
        ("web/test_ingress.py",),
    ),
    Fault(
        "what somebody else took away has no effect here",
        "pipeline/applying.py",
        "rows, only_claimed=True) != len(rows)",
        "rows) != len(rows)",
        ("pipeline/test_dispatch.py", "pipeline/test_crashes.py"),
    ),
    Fault(
        "who blocks the bot is not written to",
        "pipeline/view.py",
        '        return "blocked_by_user" if customer.blocked_at is not None else ""\n',
        '        return ""\n',
        ("pipeline/test_dispatch.py", "usecases/test_goodbyes.py", "usecases/test_conversation.py"),
    ),
    Fault(
        "a door action that was overtaken is not made",
        "pipeline/reviewing.py",
        (
            "        if check is not None and not await self._db.read(lambda: check(item)):\n"
            "            return None\n"
        ),
        "",
        ("pipeline/test_wanted.py",),
    ),
    Fault(
        "a message that is put off is not sent",
        "pipeline/reviewing.py",
        ("        if fresh is None or isinstance(fresh, datetime):\n            return fresh\n"),
        ("        if fresh is None or isinstance(fresh, datetime):\n            return item\n"),
        ("pipeline/test_wanted.py", "pipeline/test_delivery.py"),
    ),
    Fault(
        "a bot does not speak faster than Telegram lets it",
        "gateways/telegram/pacing.py",
        "    bulk: Rate = Rate(count=30, window=1.0, burst=3)\n",
        "    bulk: Rate = Rate(count=60, window=1.0, burst=3)\n",
        ("gateways/telegram/test_pacing.py", "pipeline/test_delivery.py"),
    ),
    Fault(
        "what was sent is never written over by who lost it",
        "pipeline/closing.py",
        "rows, only_claimed=True)",
        "rows)",
        ("pipeline/test_delivery.py", "pipeline/test_crashes.py"),
    ),
)
