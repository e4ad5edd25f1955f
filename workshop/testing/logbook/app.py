#!/usr/bin/python3
"""A log-book over HTTP: POST / writes a line, GET / tells how many there are, and both say who answers."""

import json
import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2


class LogBook(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(None)

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def answer(self, line):
        with psycopg2.connect(os.environ["DATABASE"]) as database, database.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS lines (line text)")
            if line is not None:
                cursor.execute("INSERT INTO lines VALUES (%s)", (line,))
                print("wrote", line, flush=True)
            cursor.execute("SELECT count(*) FROM lines")
            (lines,) = cursor.fetchone()
        answer = {"host": socket.gethostname(), "greeting": os.environ["GREETING"], "lines": lines}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


# The first process of a container ends at SIGTERM only where it says so.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = ThreadingHTTPServer(("", 8000), LogBook)
print("the log-book is open", flush=True)
server.serve_forever()
