"""The settings dialog: one page a subject, each of which shows its defaults."""

from viewer.preferences.dialog import SettingsDialog

__all__ = ["SettingsDialog"]
