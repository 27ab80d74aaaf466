"""Runs txwatch against scripted peers: see site.py, peers.py and check.py."""
