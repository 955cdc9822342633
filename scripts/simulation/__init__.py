"""A day lived through the HTTP API by simulated citizens, couriers, clerks and officers."""
