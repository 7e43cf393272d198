"""`make bench`: what one request costs here, beside a typical app and a bare one."""
