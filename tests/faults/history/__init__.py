"""Random operations through several servers, and a checker of their recorded history."""
