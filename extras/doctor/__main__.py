"""`python -m extras.doctor`: works with settings that the app does not start with, too."""

from __future__ import annotations

from app import create_app

from . import doctor_of

doctor_of(create_app)(prog_name="python -m extras.doctor")
