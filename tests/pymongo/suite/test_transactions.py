import threading

import pymongo
from pymongo.errors import ConnectionFailure, OperationFailure
from pymongo.read_concern import ReadConcern

from support import DatabaseTest


class Transactions(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.db.c.insert_many([{"_id": n, "n": 0} for n in range(3)])

    def test_commit_shows_everything_at_once(self):
        with self.client.start_session() as session:
            with session.start_transaction():
                self.db.c.insert_one({"_id": 10}, session=session)
                self.db.c.update_many({}, {"$inc": {"n": 1}}, session=session)
                self.db.c.delete_one({"_id": 0}, session=session)
                self.assertEqual([1, 2, 10], [d["_id"] for d in self.db.c.find(session=session).sort("_id")])
                self.assertEqual(1, self.db.c.find_one({"_id": 1}, session=session)["n"])
                self.assertEqual([0, 1, 2], [d["_id"] for d in self.db.c.find().sort("_id")])
                self.assertEqual([1], self.db.c.distinct("n", session=session))
                self.assertEqual([0], self.db.c.distinct("n"))
        self.assertEqual({1: 1, 2: 1, 10: 1}, {d["_id"]: d["n"] for d in self.db.c.find()})

    def test_abort_leaves_nothing(self):
        with self.client.start_session() as session:
            session.start_transaction()
            self.db.c.insert_one({"_id": 10}, session=session)
            self.db.c.delete_many({"_id": {"$lt": 10}}, session=session)
            session.abort_transaction()
        self.assertEqual(3, self.db.c.count_documents({}))

    def test_reads_stay_where_they_began(self):
        with self.client.start_session() as session:
            with session.start_transaction(read_concern=ReadConcern("snapshot")):
                self.assertEqual(3, self.db.c.count_documents({}, session=session))
                self.db.c.insert_one({"_id": "other"})
                self.db.c.update_one({"_id": 0}, {"$set": {"n": 9}})
                self.assertEqual(3, self.db.c.count_documents({}, session=session))
                self.assertEqual(0, self.db.c.find_one({"_id": 0}, session=session)["n"])

    def test_two_writers_conflict(self):
        with self.client.start_session() as first, self.client.start_session() as second:
            first.start_transaction()
            second.start_transaction()
            self.db.c.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=first)
            error = self.assertCode(112, self.db.c.update_one, {"_id": 1}, {"$inc": {"n": 5}}, session=second)
            self.assertTrue(error.has_error_label("TransientTransactionError"))
            first.commit_transaction()
        self.assertEqual(1, self.db.c.find_one({"_id": 1})["n"])

    def test_a_plain_write_waits_for_the_transaction(self):
        with self.client.start_session() as session:
            session.start_transaction()
            self.db.c.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)
            other = threading.Thread(target=lambda: self.db.c.update_one({"_id": 1}, {"$inc": {"n": 10}}))
            other.start()
            other.join(0.3)
            self.assertTrue(other.is_alive())
            session.commit_transaction()
            other.join(10)
            self.assertFalse(other.is_alive())
        self.assertEqual(11, self.db.c.find_one({"_id": 1})["n"])

    def test_with_transaction_tries_again(self):
        tried = []

        def work(session):
            tried.append(1)
            self.db.c.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)

        with self.client.start_session() as session:
            with self.fail_point({"times": 2}, failCommands=["update"], errorCode=251, errorLabels=["TransientTransactionError"]):
                session.with_transaction(work)
            self.assertEqual(3, len(tried))
            with self.fail_point({"times": 1}, failCommands=["commitTransaction"], closeConnection=True):
                session.with_transaction(work)
        self.assertEqual(2, self.db.c.find_one({"_id": 1})["n"])

    def test_an_error_ends_the_transaction(self):
        with self.client.start_session() as session:
            session.start_transaction()
            self.db.c.insert_one({"_id": 20}, session=session)
            self.assertCode(11000, self.db.c.insert_one, {"_id": 1}, session=session)
            self.assertCode(251, self.db.c.insert_one, {"_id": 21}, session=session)
            session.abort_transaction()
        self.assertEqual(3, self.db.c.count_documents({}))

    def test_collections_and_indexes_can_be_made_inside(self):
        with self.client.start_session() as session:
            with session.start_transaction():
                self.db.create_collection("made", session=session)
                self.db.made.create_index("x", session=session)
                self.db.made.insert_one({"x": 1}, session=session)
                self.db.implicit.insert_one({"_id": 1}, session=session)
                self.assertNotIn("made", self.db.list_collection_names())
                self.assertNotIn("implicit", self.db.list_collection_names())
            self.assertIn("x_1", self.db.made.index_information())
            self.assertEqual(1, self.db.implicit.count_documents({}))
            session.start_transaction()
            self.db.gone.insert_one({}, session=session)
            session.abort_transaction()
        self.assertNotIn("gone", self.db.list_collection_names())

    def test_what_is_not_allowed_inside(self):
        for command, code in (({"count": "c"}, 263), ({"drop": "c"}, 263), ({"listCollections": 1}, 263)):
            with self.subTest(command), self.client.start_session() as session:
                session.start_transaction()
                self.assertCode(code, self.db.command, command, session=session)
                session.abort_transaction()

    def test_a_lost_session_is_no_transaction(self):
        with self.client.start_session() as session:
            session.start_transaction()
            self.db.c.insert_one({"_id": 10}, session=session)
            self.client.admin.command("killAllSessions", [])
            error = self.assertCode(251, self.db.c.insert_one, {"_id": 11}, session=session)
            self.assertTrue(error.has_error_label("TransientTransactionError"))

    def test_snapshot_sessions_read_one_moment(self):
        with self.client.start_session(snapshot=True) as session:
            self.assertEqual(3, self.db.c.count_documents({}, session=session))
            self.db.c.insert_one({"_id": 10})
            self.db.c.update_many({}, {"$set": {"n": 5}})
            self.db.c.delete_one({"_id": 0})
            self.assertEqual([0, 1, 2], [d["_id"] for d in self.db.c.find(session=session).batch_size(2).sort("_id")])
            self.assertEqual([0], self.db.c.distinct("n", session=session))
            self.assertCode(72, self.db.c.insert_one, {}, session=session)
        self.assertEqual(3, self.db.c.count_documents({}))


class RetryableWrites(DatabaseTest):
    def test_writes_are_repeated_after_a_lost_connection(self):
        c = self.db.c
        works = [
            lambda: c.insert_one({"_id": 1, "n": 0}),
            lambda: c.insert_many([{"_id": 2, "n": 0}, {"_id": 3, "n": 0}]),
            lambda: c.update_one({"_id": 1}, {"$inc": {"n": 1}}),
            lambda: c.replace_one({"_id": 2}, {"n": 5}),
            lambda: c.find_one_and_update({"_id": 1}, {"$inc": {"n": 1}}),
            lambda: c.bulk_write([pymongo.UpdateOne({"_id": 1}, {"$inc": {"n": 1}}), pymongo.DeleteOne({"_id": 3})]),
        ]
        for work in works:
            with self.fail_point({"times": 1}, "onPrimaryTransactionalWrite"):
                work()
        self.assertEqual([{"_id": 1, "n": 3}, {"_id": 2, "n": 5}], list(c.find().sort("_id")))

    def test_writes_are_repeated_after_retryable_errors(self):
        for number, data in enumerate(
            (
                {"closeConnection": True},
                {"errorCode": 91},
                {"errorCode": 10107},
                {"errorCode": 11600},
                {"writeConcernError": {"code": 91, "errmsg": "shutting down"}},
            )
        ):
            with self.subTest(data), self.fail_point({"times": 1}, failCommands=["insert"], **data):
                self.db.c.insert_one({"_id": number})
        self.assertEqual(5, self.db.c.count_documents({}))

    def test_other_errors_are_not_repeated(self):
        with self.fail_point({"times": 1}, failCommands=["insert"], errorCode=50):
            self.assertCode(50, self.db.c.insert_one, {})
        with self.fail_point({"times": 2}, failCommands=["insert"], closeConnection=True):
            self.assertRaises(ConnectionFailure, self.db.c.insert_one, {})
        with self.fail_point({"times": 1}, failCommands=["find"], closeConnection=True):
            self.db.c.find_one()
        self.assertEqual(0, self.db.c.count_documents({}))

    def test_a_write_that_must_not_be_reflected_is_not(self):
        data = {"failBeforeCommitExceptionCode": 1, "closeConnection": False}
        with self.fail_point({"times": 1}, "onPrimaryTransactionalWrite", **data):
            self.assertRaises(OperationFailure, self.db.c.insert_one, {"_id": 1})
        self.assertEqual(0, self.db.c.count_documents({}))
