import pymongo
from pymongo.errors import OperationFailure

from support import DatabaseTest, as_user


class Users(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.name = f"user_{self.id()[-40:].replace('.', '_')}"
        self.drop()
        self.addCleanup(self.drop)
        self.db.c.insert_one({"_id": 1})

    def drop(self):
        for command in ("dropUser", "dropRole"):
            try:
                self.client.admin.command(command, self.name)
            except OperationFailure as error:
                self.assertIn(error.code, (11, 31))

    def login(self, roles, password="p\u00e4ss:/@word", **options):
        self.client.admin.command("createUser", self.name, pwd=password, roles=roles)
        client = pymongo.MongoClient(
            as_user("", "").replace("//:@", "//"), username=self.name, password=password, authSource="admin", **options
        )
        self.addCleanup(client.close)
        return client[self.db.name]

    def test_read_only(self):
        db = self.login([{"role": "read", "db": self.db.name}])
        self.assertEqual({"_id": 1}, db.c.find_one())
        self.assertEqual(["c"], db.list_collection_names())
        for work in (
            lambda: db.c.insert_one({}),
            lambda: db.c.update_one({}, {"$set": {"a": 1}}),
            lambda: db.c.delete_one({}),
            lambda: db.c.drop(),
            lambda: db.c.create_index("a"),
            lambda: db.client.other.c.find_one(),
            lambda: db.command("createUser", "x", pwd="x", roles=[]),
        ):
            self.assertCode(13, work)

    def test_read_write_and_administration(self):
        db = self.login([{"role": "readWrite", "db": self.db.name}])
        db.c.insert_one({"_id": 2})
        db.c.create_index("a")
        self.assertCode(13, db.command, "collMod", "c", validator={})
        self.client.admin.command("grantRolesToUser", self.name, roles=[{"role": "dbAdmin", "db": self.db.name}])
        db.command("collMod", "c", validator={})

    def test_roles_taken_away_count_at_once(self):
        db = self.login([{"role": "readWrite", "db": self.db.name}])
        db.c.insert_one({})
        self.client.admin.command("revokeRolesFromUser", self.name, roles=[{"role": "readWrite", "db": self.db.name}])
        self.assertCode(13, db.c.insert_one, {})

    def test_custom_roles_inherit(self):
        privilege = {"resource": {"db": self.db.name, "collection": "c"}, "actions": ["insert"]}
        self.client.admin.command(
            "createRole", self.name, privileges=[privilege], roles=[{"role": "read", "db": self.db.name}]
        )
        db = self.login([self.name])
        db.c.insert_one({})
        db.c.find_one()
        self.assertCode(13, db.d.insert_one, {})
        self.client.admin.command("revokePrivilegesFromRole", self.name, privileges=[privilege])
        self.assertCode(13, db.c.insert_one, {})

    def test_passwords(self):
        db = self.login(["root"])
        db.c.find_one()
        self.client.admin.command("updateUser", self.name, pwd="another")
        for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256"):
            with pymongo.MongoClient(as_user(self.name, "another"), authMechanism=mechanism) as client:
                client.admin.command("connectionStatus")
        with pymongo.MongoClient(as_user(self.name, "wrong")) as client:
            self.assertCode(18, client.admin.command, "hello2")
        with pymongo.MongoClient(as_user("nobody", "x")) as client:
            self.assertCode(18, client.admin.command, "ping")

    def test_users_are_shown(self):
        self.login([{"role": "read", "db": "a"}, "clusterMonitor"])
        (shown,) = self.client.admin.command("usersInfo", self.name)["users"]
        self.assertEqual(f"admin.{self.name}", shown["_id"])
        self.assertCountEqual(
            [{"role": "read", "db": "a"}, {"role": "clusterMonitor", "db": "admin"}], shown["roles"]
        )
        self.assertNotIn("credentials", shown)
        self.assertCode(51003, self.client.admin.command, "createUser", self.name, pwd="x", roles=[])
        self.assertCode(31, self.client.admin.command, "grantRolesToUser", self.name, roles=["no such role"])

    def test_without_login_little_is_allowed(self):
        with pymongo.MongoClient(as_user("", "").replace("//:@", "//").replace("&authSource=admin", "")) as client:
            client.admin.command("hello")
            self.assertCode(13, client.admin.command, "listDatabases")
            self.assertCode(13, client[self.db.name].c.find_one)
