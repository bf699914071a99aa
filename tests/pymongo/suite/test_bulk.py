from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.errors import BulkWriteError, WriteConcernError
from pymongo.write_concern import WriteConcern

from support import DatabaseTest


class Bulk(DatabaseTest):
    def test_results_count_every_kind(self):
        self.db.c.insert_many([{"_id": n, "n": n} for n in range(5)])
        result = self.db.c.bulk_write(
            [
                InsertOne({"_id": 10}),
                UpdateOne({"_id": 1}, {"$set": {"n": 100}}),
                UpdateMany({"n": {"$lt": 4}}, {"$inc": {"n": 1}}),
                UpdateOne({"_id": "up"}, {"$set": {"n": 1}}, upsert=True),
                ReplaceOne({"_id": 2}, {"r": 1}),
                DeleteOne({"_id": 3}),
                DeleteMany({"n": 100}),
            ]
        )
        self.assertEqual(
            {"nInserted": 1, "nMatched": 5, "nModified": 5, "nRemoved": 2, "nUpserted": 1},
            {key: result.bulk_api_result[key] for key in ("nInserted", "nMatched", "nModified", "nRemoved", "nUpserted")},
        )
        self.assertEqual({3: "up"}, result.upserted_ids)

    def test_ordered_stops_at_the_first_error(self):
        with self.assertRaises(BulkWriteError) as caught:
            self.db.c.bulk_write([InsertOne({"_id": 1}), InsertOne({"_id": 1}), InsertOne({"_id": 2})])
        details = caught.exception.details
        self.assertEqual(1, details["nInserted"])
        (error,) = details["writeErrors"]
        self.assertEqual((1, 11000, {"_id": 1}), (error["index"], error["code"], error["keyPattern"]))
        self.assertEqual({"_id": 1}, error["keyValue"])
        self.assertEqual([1], [d["_id"] for d in self.db.c.find()])

    def test_unordered_goes_on(self):
        requests = [InsertOne({"_id": n % 3}) for n in range(7)] + [UpdateOne({"_id": 0}, {"$inc": {"_id": 1}})]
        with self.assertRaises(BulkWriteError) as caught:
            self.db.c.bulk_write(requests, ordered=False)
        details = caught.exception.details
        self.assertEqual(3, details["nInserted"])
        self.assertEqual([3, 4, 5, 6, 7], [error["index"] for error in details["writeErrors"]])
        self.assertEqual(66, details["writeErrors"][-1]["code"])

    def test_more_documents_than_one_message_holds(self):
        self.db.c.insert_many([{"_id": n, "x": "y" * 500} for n in range(120_000)], ordered=False)
        self.assertEqual(120_000, self.db.c.count_documents({}))

    def test_hint_and_array_filters_of_each_statement(self):
        self.db.c.create_index("a")
        self.db.c.insert_many([{"a": n, "l": [1, 2, 3]} for n in range(3)])
        result = self.db.c.bulk_write(
            [
                UpdateMany({"a": {"$gte": 1}}, {"$set": {"l.$[big]": 0}}, array_filters=[{"big": {"$gt": 1}}], hint="a_1"),
                DeleteOne({"a": 0}, hint=[("a", 1)]),
            ]
        )
        self.assertEqual((2, 1), (result.modified_count, result.deleted_count))
        self.assertEqual([[1, 0, 0]] * 2, [d["l"] for d in self.db.c.find()])
        with self.assertRaises(BulkWriteError) as caught:
            self.db.c.bulk_write([DeleteOne({"a": 1}, hint="nowhere")])
        self.assertEqual(2, caught.exception.details["writeErrors"][0]["code"])

    def test_an_impossible_write_concern_is_told_beside_the_result(self):
        impossible = self.db.get_collection("c", write_concern=WriteConcern(w=50, wtimeout=1))
        with self.assertRaises(WriteConcernError) as caught:
            impossible.insert_one({"_id": 1})
        self.assertEqual(100, caught.exception.code)
        self.assertEqual(1, self.db.c.count_documents({}))
        with self.assertRaises(BulkWriteError) as caught:
            impossible.bulk_write([InsertOne({"_id": 2})])
        self.assertEqual(1, caught.exception.details["nInserted"])
        self.assertEqual(100, caught.exception.details["writeConcernErrors"][0]["code"])

    def test_unacknowledged_writes_arrive(self):
        quiet = self.db.get_collection("c", write_concern=WriteConcern(w=0))
        self.assertFalse(quiet.insert_one({"_id": 1}).acknowledged)
        quiet.bulk_write([InsertOne({"_id": n}) for n in range(2, 50)])
        for _ in range(2000):
            if self.db.c.count_documents({}) == 49:
                return
        self.fail("the writes didn't arrive")
