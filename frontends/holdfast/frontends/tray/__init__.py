"""The tray: an icon, a menu and notifications for sessions that go on while no window is open. Draws no window."""
