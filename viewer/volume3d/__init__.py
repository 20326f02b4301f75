"""The volume in three dimensions: `view.VolumeView` in the window, VTK in a process of its own.

Nothing is imported here, since that process is to load neither Qt nor the rest of the window.
"""
