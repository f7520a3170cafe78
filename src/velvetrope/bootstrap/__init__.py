"""The composition root: settings in, one application with everything wired out.

Import it once Django is configured (`web/django_config.py`): it reaches the models.
"""

from velvetrope.bootstrap.application import Application, Patience, build, installation_name
from velvetrope.bootstrap.roles import Role
from velvetrope.bootstrap.routes import build_routes

__all__ = ["Application", "Patience", "Role", "build", "build_routes", "installation_name"]
