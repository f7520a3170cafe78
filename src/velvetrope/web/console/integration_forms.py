"""The form of an integration: what is typed goes to the use cases, secrets are never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join

from velvetrope.domain import validation
from velvetrope.store.models import Integration, StripeAccount
from velvetrope.web.console.forms import JudgedForm, SecretField, judged
from velvetrope.web.console.vendor import Select, Textarea, TextInput

if TYPE_CHECKING:
    from django.utils.safestring import SafeString


class ZoneInput(TextInput):
    """A text input that offers the names of time zones."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        box = super().render(name, value, {**(attrs or {}), "list": "time-zones"}, renderer)
        names = sorted(name for name in available_timezones() if "/" in name or name == "UTC")
        options = format_html_join("", "<option{}>", ((flatatt({"value": one}),) for one in names))
        return format_html('{}<datalist id="time-zones">{}</datalist>', box, options)


class IntegrationForm(JudgedForm[Integration]):
    """New or changed; `cleaned_data` is what the use cases of onboarding take."""

    refusal_fields = {"token": "new_token"}

    new_token = SecretField(
        stored="stored, never shown; leave empty to keep it",
        label="Bot token",
        help_text="From @BotFather, such as 123456:ABC…. It is encrypted, and never shown again.",
    )
    chats = forms.CharField(
        label="Chats",
        widget=Textarea(attrs={"rows": 3, "placeholder": "-1001234567890"}),
        help_text="Ids of the channels and supergroups that the bot opens, one a line. The bot "
        "must be an administrator there with «Invite users via link» and «Ban users».",
    )
    prices = forms.CharField(
        label="Prices",
        widget=Textarea(attrs={"rows": 3, "placeholder": "price_1AbC…"}),
        help_text="Ids of Stripe prices (price_…), with commas, spaces or new lines between them, "
        "in the order in which they are shown. One that is removed here is not sold any more; "
        "whoever has paid for it stays.",
    )

    # Texts, not Django's addresses: domain/validation.py is the one that judges.
    terms_url = forms.CharField(
        label="Terms",
        required=False,
        widget=TextInput(attrs={"placeholder": "https://example.com/terms", "inputmode": "url"}),
        help_text="Shown with every payment link, and by /terms.",
    )
    privacy_url = forms.CharField(
        label="Privacy notice",
        required=False,
        widget=TextInput(attrs={"placeholder": "https://example.com/privacy", "inputmode": "url"}),
        help_text="Shown by /privacy.",
    )

    class Meta:
        model = Integration
        fields = (
            "name", "stripe_account", "language", "time_zone",
            "terms_url", "privacy_url", "support_contact",
        )  # fmt: skip
        widgets = {
            "name": TextInput(),
            "stripe_account": Select(),
            "language": Select(),
            "time_zone": ZoneInput(),
            "support_contact": TextInput(attrs={"placeholder": "@support or support@example.com"}),
        }
        help_texts = {
            "name": "For operators; customers see the bot's own name.",
            "language": "For people whose Telegram speaks none of the product's languages.",
            "time_zone": "In which customers read dates and times, such as Europe/Kyiv.",
            "support_contact": "Shown by /paysupport: where customers ask about payments.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_new = self.instance._state.adding  # noqa: SLF001  Django's documented name
        if "new_token" in self.fields and self.is_new:
            self.fields["new_token"].required = True
            self.fields["new_token"].widget.attrs.pop("placeholder")
        if isinstance(account := self.fields.get("stripe_account"), forms.ModelChoiceField):
            account.queryset = StripeAccount.objects.order_by("-from_environment", "name")
            account.empty_label = None
        if not self.is_new:
            chats = self.instance.chats.order_by("id").values_list("telegram_id", flat=True)
            self.initial["chats"] = "\n".join(map(str, chats))
            prices = self.instance.plans.filter(on_sale=True)
            self.initial["prices"] = "\n".join(prices.values_list("stripe_price_id", flat=True))

    def clean_new_token(self) -> str:
        token = str(self.cleaned_data["new_token"])
        if not token:
            return ""
        checked: str = judged(lambda: validation.bot_token(token))
        if not self.is_new and validation.bot_id_of(checked) != self.instance.bot_id:
            message = "This token is another bot's. Connect that bot as an integration of its own."
            raise ValidationError(message)
        return checked

    def clean_name(self) -> str:
        return str(judged(lambda: validation.name(self.cleaned_data["name"], longest=64)))

    def clean_chats(self) -> tuple[int, ...]:
        found: tuple[int, ...] = judged(lambda: validation.chat_ids(self.cleaned_data["chats"]))
        return found

    def clean_prices(self) -> tuple[str, ...]:
        found: tuple[str, ...] = judged(lambda: validation.price_ids(self.cleaned_data["prices"]))
        return found

    def clean_time_zone(self) -> str:
        return str(judged(lambda: validation.time_zone(self.cleaned_data["time_zone"])))

    def clean_terms_url(self) -> str:
        return self._optional_url("terms_url")

    def clean_privacy_url(self) -> str:
        return self._optional_url("privacy_url")

    def _optional_url(self, name: str) -> str:
        value = self.cleaned_data[name]
        return str(judged(lambda: validation.url(value, field=name))) if value else ""
