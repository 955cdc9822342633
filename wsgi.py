"""The WSGI entry point: `gunicorn wsgi:app`."""

from courier_api import create_app

app = create_app()
