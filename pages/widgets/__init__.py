"""Pieces of pages that two pages share: functions that draw, and return what was chosen."""
