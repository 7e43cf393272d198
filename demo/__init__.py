"""The other side of the flow: an OpenID provider, a sample API, and what starts them.

The app never imports anything from here; its tests do. Nothing here is meant for the internet:
whoever reaches the provider may sign in as anyone.
"""
