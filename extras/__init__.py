"""Folders that nothing else needs: each leaves with its folder, its name in `app.py`, its tests."""
