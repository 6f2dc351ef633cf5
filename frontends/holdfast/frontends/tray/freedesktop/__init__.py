"""Desktops after the freedesktop specifications, over D-Bus: StatusNotifierItem, dbusmenu, Notifications.

Only this package imports `dbus_fast`; it opens no display and draws nothing itself.
"""
