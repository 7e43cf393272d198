"""`make bench`: what one request costs, counted and measured; the app never imports this.

The unit of CPU is the floor page: a bare Flask app (`floor.py`) that renders one small template
under the same server settings, measured in the same round. CPU time is that of the server's
processes alone, so neither the load generator nor whatever else the machine does counts.
"""
