"""Unfold as the rest of the console sees it: typed like the Django classes it extends.

Unfold has no types, so `Any` would leak out of every base class; it stops here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as Site
    from django.contrib.admin import ModelAdmin
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
    from django.contrib.admin.views.main import ChangeList
    from django.core.paginator import Paginator
    from django.forms import (
        CheckboxInput,
        ModelForm,
        NumberInput,
        PasswordInput,
        Select,
        SplitDateTimeWidget,
        Textarea,
        TextInput,
    )
    from django.forms import CheckboxSelectMultiple as CheckboxList
else:
    from django.core.paginator import Paginator as _Paginator
    from django.forms import ModelForm as _ModelForm
    from unfold.admin import ModelAdmin as _ModelAdmin
    from unfold.forms import AuthenticationForm
    from unfold.sites import UnfoldAdminSite as Site
    from unfold.views import ChangeList
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxList
    from unfold.widgets import UnfoldAdminIntegerFieldWidget as NumberInput
    from unfold.widgets import UnfoldAdminPasswordWidget as PasswordInput
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminSplitDateTimeWidget as SplitDateTimeWidget
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput
    from unfold.widgets import UnfoldBooleanSwitchWidget as CheckboxInput

    class _Subscriptable:
        """Takes a type in brackets, as the stubs of Django's classes do."""

        def __class_getitem__(cls, _item: object) -> type:
            return cls

    class ModelAdmin(_Subscriptable, _ModelAdmin):
        pass

    class ModelForm(_Subscriptable, _ModelForm):
        pass

    class Paginator(_Subscriptable, _Paginator):
        pass


__all__ = [
    "AuthenticationForm",
    "ChangeList",
    "CheckboxInput",
    "CheckboxList",
    "ModelAdmin",
    "ModelForm",
    "NumberInput",
    "Paginator",
    "PasswordInput",
    "Select",
    "Site",
    "SplitDateTimeWidget",
    "TextInput",
    "Textarea",
]
