"""Processes, clients, disks and networks that the scenarios break."""
