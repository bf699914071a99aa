import time
from datetime import datetime, timedelta, timezone

from pymongo import ASCENDING, DESCENDING, HASHED, IndexModel, TEXT
from pymongo.collation import Collation
from pymongo.errors import OperationFailure

from support import DatabaseTest


class Indexes(DatabaseTest):
    def test_made_listed_dropped(self):
        names = self.db.c.create_indexes(
            [
                IndexModel([("a", ASCENDING), ("b.c", DESCENDING)]),
                IndexModel("u", unique=True, sparse=True, name="mine"),
                IndexModel([("h", HASHED)]),
                IndexModel("e", expireAfterSeconds=60),
                IndexModel("p", partialFilterExpression={"p": {"$gt": 5}}),
                IndexModel([("$**", 1)], wildcardProjection={"a": 1}),
                IndexModel("k", collation=Collation("de", strength=2)),
            ]
        )
        self.assertEqual(["a_1_b.c_-1", "mine", "h_hashed", "e_1", "p_1", "$**_1", "k_1"], names)
        found = self.db.c.index_information()
        self.assertEqual([("a", 1), ("b.c", -1)], found["a_1_b.c_-1"]["key"])
        self.assertTrue(found["mine"]["unique"] and found["mine"]["sparse"])
        self.assertEqual(60, found["e_1"]["expireAfterSeconds"])
        self.assertEqual({"p": {"$gt": 5}}, found["p_1"]["partialFilterExpression"])
        self.assertEqual("de", found["k_1"]["collation"]["locale"])
        self.db.c.drop_index("mine")
        self.db.c.drop_index([("a", 1), ("b.c", -1)])
        self.assertCode(27, self.db.c.drop_index, "mine")
        self.assertCode(72, self.db.c.drop_index, "_id_")
        self.db.c.drop_indexes()
        self.assertEqual(["_id_"], list(self.db.c.index_information()))

    def test_the_same_again_is_no_change_and_another_is_refused(self):
        self.db.c.create_index("a")
        self.assertEqual("a_1", self.db.c.create_index("a"))
        self.assertCode(85, self.db.c.create_index, "a", name="other")
        self.assertCode(86, self.db.c.create_index, "b", name="a_1")
        self.assertCode(86, self.db.c.create_index, "a", unique=True)
        self.assertCode(67, self.db.c.create_index, [("a", "nonsense")])

    def test_unique_in_arrays_and_documents(self):
        self.db.c.create_index([("list.k", 1), ("z", 1)], unique=True)
        self.db.c.insert_one({"list": [{"k": 1}, {"k": 2}], "z": 1})
        self.db.c.insert_one({"list": [{"k": 1}], "z": 2})
        self.assertCode(11000, self.db.c.insert_one, {"list": [{"k": 2}, {"k": 3}], "z": 1})
        self.assertCode(11000, self.db.c.update_one, {"z": 2}, {"$set": {"z": 1}})
        self.db.d.insert_many([{"x": 1}, {"x": 1}])
        self.assertCode(11000, self.db.d.create_index, "x", unique=True)

    def test_sparse_and_partial_unique(self):
        self.db.c.create_index("s", unique=True, sparse=True)
        self.db.c.create_index("p", unique=True, partialFilterExpression={"on": True})
        self.db.c.insert_many([{}, {}, {"p": 1, "s": 1}, {"p": 1}, {"p": 1, "on": True}])
        self.assertCode(11000, self.db.c.insert_one, {"s": 1})
        self.assertCode(11000, self.db.c.insert_one, {"p": 1, "on": True})

    def test_hints_and_plans(self):
        self.db.c.create_index("a")
        self.db.c.insert_many([{"a": n % 10, "b": n} for n in range(100)])
        self.assertEqual(10, len(list(self.db.c.find({"a": 3}).hint("a_1"))))
        self.assertCode(2, lambda: list(self.db.c.find({"a": 3}).hint("nope")))
        plan = self.db.c.find({"a": 3}).explain()
        self.assertEqual("IXSCAN", plan["queryPlanner"]["winningPlan"]["inputStage"]["stage"])
        self.assertEqual("COLLSCAN", self.db.c.find({"b": 3}).explain()["queryPlanner"]["winningPlan"]["stage"])

    def test_ttl_deletes(self):
        self.client.admin.command("setParameter", 1, ttlMonitorSleepSecs=1)
        self.addCleanup(self.client.admin.command, "setParameter", 1, ttlMonitorSleepSecs=60)
        self.db.c.create_index("at", expireAfterSeconds=1)
        now = datetime.now(timezone.utc)
        self.db.c.insert_many([{"_id": 1, "at": now - timedelta(hours=1)}, {"_id": 2, "at": now + timedelta(hours=1)}])
        deadline = time.monotonic() + 30
        while self.db.c.count_documents({}) > 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual([2], [d["_id"] for d in self.db.c.find()])

    def test_col_mod_hides_and_changes(self):
        self.db.c.create_index("at", expireAfterSeconds=100)
        reply = self.db.command("collMod", "c", index={"name": "at_1", "expireAfterSeconds": 5, "hidden": True})
        self.assertEqual((100, 5), (reply["expireAfterSeconds_old"], reply["expireAfterSeconds_new"]))
        self.assertTrue(self.db.c.index_information()["at_1"]["hidden"])

    def test_text_search_is_right_or_refused(self):
        self.db.c.create_index([("t", TEXT)])
        self.assertEqual({"t": 1}, self.db.c.index_information()["t_text"]["weights"])
        self.db.c.insert_many([{"_id": 1, "t": "Ships and shoes"}, {"_id": 2, "t": "sealing wax"}])
        try:
            self.assertEqual([1], [d["_id"] for d in self.db.c.find({"$text": {"$search": "shoe"}})])
        except OperationFailure as error:
            self.assertEqual(27, error.code)
