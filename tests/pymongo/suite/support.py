"""What the modules share: a client for the server under test, and a database of its own for each test."""
import contextlib
import os
import re
import unittest

import pymongo

URI = os.environ["MONGODB_URI"]


def as_user(name, password):
    """The server's address with another login."""
    return re.sub(r"//[^@]*@", f"//{name}:{password}@", URI)


class DatabaseTest(unittest.TestCase):
    """Gives `client` and an empty `db`; fail points concern this client only."""

    maxDiff = None

    def setUp(self):
        self.app = self.id()[-100:]
        # Fail points make the driver look at the server again: soon, not after ten seconds.
        self.client = pymongo.MongoClient(URI, appname=self.app, heartbeatFrequencyMS=500)
        self.addCleanup(self.client.close)
        name = re.sub(r"\W+", "_", self.id())[-50:]
        self.client.drop_database(name)
        self.db = self.client[name]

    @contextlib.contextmanager
    def fail_point(self, mode, name="failCommand", **data):
        if name == "failCommand":
            data.setdefault("appName", self.app)
        self.client.admin.command("configureFailPoint", name, mode=mode, data=data)
        try:
            yield
        finally:
            self.client.admin.command("configureFailPoint", name, mode="off")

    def assertCode(self, code, work, *args, **kwargs):
        """Runs `work`, which has to fail with that server error (or one of those); gives the error."""
        with self.assertRaises(pymongo.errors.OperationFailure) as caught:
            work(*args, **kwargs)
        codes = code if isinstance(code, tuple) else (code,)
        self.assertIn(caught.exception.code, codes, caught.exception)
        return caught.exception
