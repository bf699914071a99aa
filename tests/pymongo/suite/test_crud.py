import re
import unittest

import pymongo
from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.collation import Collation
from pymongo.errors import DuplicateKeyError, WriteError

from support import DatabaseTest


class Writes(DatabaseTest):
    def test_insert_gives_ids_and_keeps_order(self):
        result = self.db.c.insert_many([{"x": n} for n in range(250)])
        self.assertEqual(250, len(set(result.inserted_ids)))
        self.assertIsInstance(result.inserted_ids[0], ObjectId)
        self.assertEqual(list(range(250)), [d["x"] for d in self.db.c.find().sort("_id")])

    def test_update_operators(self):
        c = self.db.c
        c.insert_one({"_id": 1, "n": 1, "list": [1, 2, 3, 2], "deep": {"a": 1}, "old": 1})
        result = c.update_one(
            {"_id": 1},
            {
                "$inc": {"n": 4},
                "$mul": {"deep.a": 3},
                "$pull": {"list": 2},
                "$unset": {"old": ""},
                "$set": {"deep.b.0": "zero", "when": None},
                "$min": {"low": 7},
                "$rename": {"none": "nothing"},
            },
        )
        self.assertEqual((1, 1), (result.matched_count, result.modified_count))
        self.assertEqual(
            {"_id": 1, "n": 5, "list": [1, 3], "deep": {"a": 3, "b": {"0": "zero"}}, "when": None, "low": 7},
            c.find_one(),
        )
        self.assertEqual(0, c.update_one({"_id": 1}, {"$set": {"n": 5}}).modified_count)

    def test_array_updates(self):
        c = self.db.c
        c.insert_one({"_id": 1, "grades": [{"g": 80, "m": 1}, {"g": 95, "m": 2}, {"g": 99, "m": 3}], "s": [3, 1]})
        c.update_one({"_id": 1}, {"$set": {"grades.$[high].m": 0}}, array_filters=[{"high.g": {"$gte": 95}}])
        c.update_one({"grades.g": 80}, {"$inc": {"grades.$.m": 10}})
        c.update_one({"_id": 1}, {"$push": {"s": {"$each": [2, 5], "$sort": 1, "$slice": -3}}})
        c.update_one({"_id": 1}, {"$addToSet": {"s": {"$each": [5, 6]}}})
        self.assertEqual(
            {"_id": 1, "grades": [{"g": 80, "m": 11}, {"g": 95, "m": 0}, {"g": 99, "m": 0}], "s": [2, 3, 5, 6]},
            c.find_one(),
        )

    def test_update_by_pipeline(self):
        self.db.c.insert_many([{"_id": 1, "a": 2, "b": 3}, {"_id": 2, "a": 5}])
        self.db.c.update_many({}, [{"$set": {"sum": {"$add": ["$a", {"$ifNull": ["$b", 0]}]}}}, {"$unset": "a"}])
        self.assertEqual([{"_id": 1, "b": 3, "sum": 5}, {"_id": 2, "sum": 5}], list(self.db.c.find().sort("_id")))

    def test_upserts(self):
        c = self.db.c
        result = c.update_one({"_id": "new", "kind": "a"}, {"$set": {"n": 1}, "$setOnInsert": {"first": True}}, upsert=True)
        self.assertEqual(("new", 0), (result.upserted_id, result.matched_count))
        again = c.update_one({"_id": "new"}, {"$set": {"n": 2}, "$setOnInsert": {"first": False}}, upsert=True)
        self.assertIsNone(again.upserted_id)
        self.assertEqual({"_id": "new", "kind": "a", "n": 2, "first": True}, c.find_one())
        self.assertEqual(5, c.replace_one({"_id": 5}, {"z": 1}, upsert=True).upserted_id)

    def test_find_one_and_change(self):
        c = self.db.c
        c.insert_many([{"_id": n, "n": n} for n in range(4)])
        self.assertEqual({"_id": 3, "n": 3}, c.find_one_and_update({}, {"$inc": {"n": 10}}, sort=[("n", -1)]))
        after = c.find_one_and_replace({"_id": 0}, {"r": 1}, return_document=ReturnDocument.AFTER)
        self.assertEqual({"_id": 0, "r": 1}, after)
        self.assertEqual({"n": 1}, c.find_one_and_delete({"_id": 1}, projection={"_id": 0, "n": 1}))
        self.assertIsNone(c.find_one_and_delete({"_id": 1}))
        made = c.find_one_and_update({"_id": 9}, {"$set": {"x": 1}}, upsert=True, return_document=ReturnDocument.AFTER)
        self.assertEqual({"_id": 9, "x": 1}, made)

    def test_deletes(self):
        self.db.c.insert_many([{"k": n % 3} for n in range(9)])
        self.assertEqual(1, self.db.c.delete_one({"k": 0}).deleted_count)
        self.assertEqual(3, self.db.c.delete_many({"k": {"$gt": 1}}).deleted_count)
        self.assertEqual(5, self.db.c.count_documents({}))
        self.assertEqual(5, self.db.c.estimated_document_count())

    def test_wrong_updates_are_refused(self):
        self.db.c.insert_one({"_id": 1, "text": "a", "list": [1]})
        self.assertCode(14, self.db.c.update_one, {"_id": 1}, {"$inc": {"text": 1}})
        self.assertCode(2, self.db.c.update_one, {"_id": 1}, {"$push": {"text": 1}})
        self.assertCode(66, self.db.c.update_one, {"_id": 1}, {"$set": {"_id": 2}})
        self.assertCode(40, self.db.c.update_one, {"_id": 1}, {"$set": {"a": 1}, "$inc": {"a.b": 1}})
        self.assertCode(9, self.db.c.update_one, {"_id": 1}, {"$nonsense": {"a": 1}})
        self.assertCode(40415, self.db.command, "update", "c", updates=[{"q": {}, "u": {"$set": {"a": 1}}, "sort": {"a": 1}}])

    def test_duplicate_key_tells_what(self):
        self.db.c.create_index("mail", unique=True)
        self.db.c.insert_one({"mail": "a"})
        with self.assertRaises(DuplicateKeyError) as caught:
            self.db.c.insert_one({"mail": "a"})
        self.assertEqual({"mail": 1}, caught.exception.details["keyPattern"])
        self.assertEqual({"mail": "a"}, caught.exception.details["keyValue"])

    def test_validator_refuses_and_can_be_bypassed(self):
        schema = {"bsonType": "object", "required": ["age"], "properties": {"age": {"bsonType": "int", "minimum": 0}}}
        people = self.db.create_collection("people", validator={"$jsonSchema": schema})
        people.insert_one({"age": 3})
        with self.assertRaises(WriteError) as caught:
            people.insert_one({"age": -1})
        self.assertEqual(121, caught.exception.code)
        self.assertIn("errInfo", caught.exception.details)
        people.with_options().insert_one({"age": "old"}, bypass_document_validation=True)
        self.assertEqual(2, people.count_documents({}))


class Queries(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.db.c.insert_many(
            [
                {"_id": 1, "a": 1, "tags": ["x", "y"], "name": "Anna"},
                {"_id": 2, "a": 2.5, "tags": [], "name": "bert"},
                {"_id": 3, "a": None, "sub": {"b": [{"c": 1}, {"c": 5}]}, "name": "Cäsar"},
                {"_id": 4, "a": "text", "sub": {"b": {"c": 3}}, "name": "dora"},
                {"_id": 5, "a": [1, 7], "name": "Émile"},
            ]
        )

    def ids(self, query, **options):
        return [d["_id"] for d in self.db.c.find(query, **options).sort("_id")]

    def test_comparisons(self):
        for query, expected in [
            ({"a": 1}, [1, 5]),
            ({"a": {"$gt": 1}}, [2, 5]),
            ({"a": None}, [3]),
            ({"missing": None}, [1, 2, 3, 4, 5]),
            ({"a": {"$in": [2.5, "text", re.compile("^nope")]}}, [2, 4]),
            ({"a": {"$nin": [1]}}, [2, 3, 4]),
            ({"a": {"$type": "number"}}, [1, 2, 5]),
            ({"a": {"$not": {"$gte": 1}}}, [3, 4]),
            ({"a": {"$mod": [2, 1]}}, [1, 5]),
            ({"$or": [{"a": "text"}, {"tags": "y"}]}, [1, 4]),
            ({"$nor": [{"a": {"$exists": True}}]}, []),
            ({"$expr": {"$gt": [{"$size": {"$ifNull": ["$tags", []]}}, 1]}}, [1]),
        ]:
            with self.subTest(query=query):
                self.assertEqual(expected, self.ids(query))

    def test_arrays_and_paths(self):
        for query, expected in [
            ({"tags": "x"}, [1]),
            ({"tags": ["x", "y"]}, [1]),
            ({"tags": {"$size": 0}}, [2]),
            ({"tags": {"$all": ["y", "x"]}}, [1]),
            ({"sub.b.c": {"$gte": 3}}, [3, 4]),
            ({"sub.b": {"$elemMatch": {"c": 5}}}, [3]),
            ({"sub.b.1.c": 5}, [3]),
            ({"tags.0": "x"}, [1]),
            ({"name": re.compile("^[a-c]", re.I)}, [1, 2, 3]),
        ]:
            with self.subTest(query=query):
                self.assertEqual(expected, self.ids(query))

    def test_sort_follows_the_order_of_types(self):
        self.assertEqual([3, 5, 1, 2, 4], [d["_id"] for d in self.db.c.find().sort([("a", 1), ("_id", -1)])])

    def test_collation(self):
        names = [d["name"] for d in self.db.c.find().sort("name").collation(Collation("de"))]
        self.assertEqual(["Anna", "bert", "Cäsar", "dora", "Émile"], names)
        insensitive = Collation("en", strength=2)
        self.assertEqual([2], self.ids({"name": "BERT"}, collation=insensitive))

    def test_projections(self):
        c = self.db.c
        self.assertEqual({"sub": {"b": [{"c": 1}, {"c": 5}]}}, c.find_one({"_id": 3}, {"_id": 0, "sub.b.c": 1}))
        self.assertEqual({"_id": 1, "tags": ["y"]}, c.find_one({"_id": 1}, {"tags": {"$slice": -1}, "a": 0, "name": 0}))
        self.assertEqual({"_id": 1, "tags": ["x"]}, c.find_one({"_id": 1, "tags": "x"}, {"tags.$": 1}))
        self.assertEqual({"_id": 4, "up": "DORA"}, c.find_one({"_id": 4}, {"up": {"$toUpper": "$name"}}))
        self.assertCode(31254, c.find_one, {}, {"a": 1, "b": 0})

    def test_skip_limit_batches(self):
        self.db.many.insert_many([{"_id": n} for n in range(1000)])
        found = list(self.db.many.find().sort("_id", -1).skip(10).limit(500).batch_size(7))
        self.assertEqual(list(range(989, 489, -1)), [d["_id"] for d in found])

    def test_distinct_and_counts(self):
        self.assertEqual([None, 1, 2.5, 7, "text"], self.db.c.distinct("a"))
        self.assertEqual(["x"], self.db.c.distinct("tags", {"tags": "x"})[:1])
        self.assertEqual(2, self.db.c.count_documents({}, skip=1, limit=2))

    def test_wrong_queries_are_refused(self):
        self.assertCode(2, self.db.c.find_one, {"a": {"$nonsense": 1}})
        self.assertCode(2, self.db.c.find_one, {"a": {"$in": 1}})
        self.assertCode(2, self.db.c.find_one, {"$and": []})
        self.assertCode(51091, self.db.c.find_one, {"a": {"$regex": "("}})
        self.assertCode(59, self.db.command, "nonsense")
        self.assertCode(73, self.db.command, "find", "")

    def test_max_time_is_kept(self):
        with self.fail_point({"times": 1}, "maxTimeAlwaysTimeOut"):
            self.assertRaises(pymongo.errors.ExecutionTimeout, lambda: self.db.c.find_one(max_time_ms=5000))


if __name__ == "__main__":
    unittest.main()
