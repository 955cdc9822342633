"""Plans couriers' rounds: a problem goes in, a judged plan comes out; knows no web, database or queue."""
