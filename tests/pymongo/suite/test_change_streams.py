import bson
import pymongo
from bson import Timestamp

from support import DatabaseTest


class ChangeStreams(DatabaseTest):
    def types(self, stream, count):
        return [stream.next()["operationType"] for _ in range(count)]

    def test_events_of_a_collection(self):
        with self.db.c.watch() as stream:
            self.db.c.insert_one({"_id": 1, "l": [1, 2, 3, 4], "a": {"b": 1}})
            self.db.c.update_one({"_id": 1}, {"$set": {"a.b": 2}, "$unset": {"l.0": 1}})
            self.db.c.update_one({"_id": 1}, [{"$set": {"l": {"$slice": ["$l", 3]}}}, {"$unset": "a"}])
            self.db.c.replace_one({"_id": 1}, {"r": 1})
            self.db.c.delete_one({"_id": 1})
            insert, update, cut, replace, delete = (stream.next() for _ in range(5))
        self.assertEqual({"_id": 1, "l": [1, 2, 3, 4], "a": {"b": 1}}, insert["fullDocument"])
        self.assertEqual({"db": self.db.name, "coll": "c"}, insert["ns"])
        self.assertIsInstance(insert["clusterTime"], Timestamp)
        self.assertIn("wallTime", insert)
        self.assertEqual(
            {"updatedFields": {"a.b": 2, "l.0": None}, "removedFields": [], "truncatedArrays": []},
            update["updateDescription"],
        )
        self.assertEqual(
            {"updatedFields": {}, "removedFields": ["a"], "truncatedArrays": [{"field": "l", "newSize": 3}]},
            cut["updateDescription"],
        )
        self.assertNotIn("fullDocument", update)
        self.assertEqual({"_id": 1, "r": 1}, replace["fullDocument"])
        self.assertEqual({"_id": 1}, delete["documentKey"])
        self.assertLess(insert["clusterTime"], delete["clusterTime"])

    def test_resume_goes_on_behind_each_event(self):
        with self.db.c.watch() as stream:
            self.db.c.insert_many([{"_id": n} for n in range(6)])
            tokens = [stream.next()["_id"] for _ in range(6)]
        for option in ("resume_after", "start_after"):
            for place, token in enumerate(tokens[:-1]):
                with self.db.c.watch(**{option: token}) as resumed:
                    self.assertEqual(place + 1, resumed.next()["documentKey"]["_id"])
        with self.db.c.watch(resume_after=tokens[-1]) as resumed:
            self.assertIsNone(resumed.try_next())

    def test_start_at_an_operation_time(self):
        self.db.c.insert_one({"_id": 1})
        with self.client.start_session() as session:
            self.db.c.insert_one({"_id": 2}, session=session)
            at = session.operation_time
        self.db.c.insert_one({"_id": 3})
        with self.db.c.watch(start_at_operation_time=at) as stream:
            self.assertEqual([2, 3], [stream.next()["documentKey"]["_id"] for _ in range(2)])

    def test_the_post_batch_token_moves_without_events(self):
        with self.db.c.watch(max_await_time_ms=50) as stream:
            stream.try_next()
            first = stream.resume_token
            self.db.other.insert_one({})
            stream.try_next()
            self.assertNotEqual(first, stream.resume_token)
            token = stream.resume_token
        self.db.c.insert_one({"_id": "later"})
        with self.db.c.watch(resume_after=token) as resumed:
            self.assertEqual("later", resumed.next()["documentKey"]["_id"])

    def test_the_driver_resumes_by_itself(self):
        with self.db.c.watch() as stream:
            self.db.c.insert_many([{"_id": n} for n in range(3)])
            self.assertEqual(0, stream.next()["documentKey"]["_id"])
            for data in ({"errorCode": 91}, {"errorCode": 10107}, {"errorCode": 234}):
                with self.subTest(data):
                    with self.fail_point({"times": 1}, "failGetMoreAfterCursorCheckout", **data):
                        self.db.c.insert_one({"_id": str(data)})
                        seen = stream.next()["documentKey"]["_id"]
                        while seen != str(data):
                            seen = stream.next()["documentKey"]["_id"]
            with self.fail_point({"times": 1}, failCommands=["getMore"], closeConnection=True):
                self.db.c.insert_one({"_id": "after the cut"})
                self.assertEqual("after the cut", stream.next()["documentKey"]["_id"])

    def test_full_documents_and_images(self):
        c = self.db.create_collection("c", changeStreamPreAndPostImages={"enabled": True})
        options = {"full_document": "required", "full_document_before_change": "required"}
        with c.watch(**options) as exact, c.watch(full_document="updateLookup") as lookup:
            c.insert_one({"_id": 1, "n": 0})
            c.update_one({"_id": 1}, {"$inc": {"n": 1}})
            c.update_one({"_id": 1}, {"$inc": {"n": 1}})
            c.delete_one({"_id": 1})
            events = [exact.next() for _ in range(4)]
            self.assertEqual([None, 0, 1, 2], [(e.get("fullDocumentBeforeChange") or {}).get("n") for e in events])
            self.assertEqual([0, 1, 2, None], [(e.get("fullDocument") or {}).get("n") for e in events])
            lookup.next()
            self.assertIsNone(lookup.next()["fullDocument"])

    def test_pipelines_filter_and_shape(self):
        pipeline = [{"$match": {"operationType": "insert", "fullDocument.x": {"$gt": 1}}}, {"$project": {"fullDocument.x": 1}}]
        with self.db.c.watch(pipeline) as stream:
            self.db.c.insert_many([{"x": 1}, {"x": 2}])
            event = stream.next()
            self.assertEqual({"_id": event["_id"], "fullDocument": {"x": 2}}, event)

    def test_a_projected_token_ends_the_stream(self):
        with self.db.c.watch([{"$project": {"_id": 0}}]) as stream:
            self.db.c.insert_one({})
            self.assertCode(280, stream.next)

    def test_databases_and_clusters_see_collections_come_and_go(self):
        with self.db.watch(show_expanded_events=True) as stream, self.client.watch() as cluster:
            self.db.create_collection("a")
            self.db.a.create_index("x")
            self.db.a.rename("b")
            self.db.b.drop()
            self.assertEqual(["create", "createIndexes", "rename", "drop"], self.types(stream, 4))
            self.db.command("create", "view", viewOn="a", pipeline=[{"$match": {"x": 1}}])
            made = stream.next()
            self.assertEqual(("create", "view"), (made["operationType"], made["ns"]["coll"]))
            self.assertEqual({"viewOn": "a", "pipeline": [{"$match": {"x": 1}}]}, made["operationDescription"])
            self.db.drop_collection("view")
            self.assertEqual("drop", stream.next()["operationType"])
            self.assertEqual(["rename", "drop"], self.types(cluster, 2))

    def test_dropping_ends_a_collections_stream(self):
        self.db.c.insert_one({})
        with self.db.c.watch() as stream:
            self.db.c.drop()
            self.assertEqual("drop", stream.next()["operationType"])
            invalidate = stream.next()
            self.assertEqual("invalidate", invalidate["operationType"])
            self.assertRaises(StopIteration, stream.next)
        self.assertCode(260, self.db.c.watch, resume_after=invalidate["_id"])
        with self.db.c.watch(start_after=invalidate["_id"]) as again:
            self.db.c.insert_one({"_id": "new life"})
            self.assertEqual("new life", again.next()["documentKey"]["_id"])

    def test_transactions_come_whole_and_in_order(self):
        with self.db.watch() as stream:
            with self.client.start_session() as session, session.start_transaction():
                self.db.a.insert_one({"_id": 1}, session=session)
                self.db.b.insert_one({"_id": 2}, session=session)
                self.db.a.update_one({"_id": 1}, {"$set": {"x": 1}}, session=session)
            events = [stream.next() for _ in range(3)]
            self.assertEqual(["insert", "insert", "update"], [e["operationType"] for e in events])
            self.assertEqual(1, len({(e["clusterTime"], bson.encode(e["lsid"]), e["txnNumber"]) for e in events}))
        with self.db.watch(resume_after=events[1]["_id"]) as resumed:
            self.assertEqual("update", resumed.next()["operationType"])

    def test_large_events_are_split_when_asked(self):
        c = self.db.create_collection("c", changeStreamPreAndPostImages={"enabled": True})
        text = "x" * (9 * 1024 * 1024)
        c.insert_one({"_id": 1, "t": text})
        options = {"full_document": "required", "full_document_before_change": "required"}
        split = [{"$changeStreamSplitLargeEvent": {}}]
        with c.watch(split, **options) as stream, c.watch(**options) as whole:
            c.update_one({"_id": 1}, {"$set": {"u": 1}})
            fragments = [stream.next() for _ in range(2)]
            self.assertEqual([(1, 2), (2, 2)], [(f["splitEvent"]["fragment"], f["splitEvent"]["of"]) for f in fragments])
            self.assertCode(10334, whole.next)

    def test_wrong_streams_are_refused(self):
        self.assertCode(40324, self.db.c.watch, [{"$nonsense": {}}])
        self.assertCode(20, self.db.c.watch, [{"$group": {"_id": 1}}])
        self.assertCode(260, self.db.c.watch, resume_after={"_data": "82FFFF"})
        self.assertRaises(pymongo.errors.OperationFailure, self.db.c.watch, resume_after={"wrong": 1})
