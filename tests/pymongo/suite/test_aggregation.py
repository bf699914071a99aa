from datetime import datetime

from bson import Decimal128, SON

from support import DatabaseTest


class Aggregation(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.db.sales.insert_many(
            [
                {"_id": 1, "item": "a", "qty": 2, "price": Decimal128("10.50"), "at": datetime(2024, 1, 1), "tags": ["x"]},
                {"_id": 2, "item": "b", "qty": 1, "price": Decimal128("20"), "at": datetime(2024, 1, 15), "tags": ["x", "y"]},
                {"_id": 3, "item": "a", "qty": 5, "price": Decimal128("9.99"), "at": datetime(2024, 2, 1), "tags": []},
                {"_id": 4, "item": "c", "qty": 10, "price": Decimal128("1"), "at": datetime(2024, 3, 1)},
            ]
        )
        self.db.items.insert_many([{"_id": "a", "name": "apple"}, {"_id": "b", "name": "berry"}])

    def run_on(self, *pipeline, collection="sales"):
        return list(self.db[collection].aggregate(list(pipeline)))

    def test_group_and_sort(self):
        found = self.run_on(
            {"$group": {"_id": "$item", "n": {"$sum": "$qty"}, "worth": {"$sum": {"$multiply": ["$qty", "$price"]}},
                        "all": {"$push": "$_id"}, "first": {"$min": "$at"}}},
            {"$sort": SON([("n", -1)])},
        )
        self.assertEqual(["c", "a", "b"], [d["_id"] for d in found])
        self.assertEqual(Decimal128("70.95"), found[1]["worth"])
        self.assertEqual([1, 3], found[1]["all"])
        self.assertEqual(datetime(2024, 1, 1), found[1]["first"])

    def test_lookup_unwind_project(self):
        found = self.run_on(
            {"$lookup": {"from": "items", "localField": "item", "foreignField": "_id", "as": "it"}},
            {"$unwind": {"path": "$it", "preserveNullAndEmptyArrays": True}},
            {"$project": {"_id": 0, "id": "$_id", "name": {"$toUpper": {"$ifNull": ["$it.name", "none"]}}}},
            {"$sort": {"id": 1}},
        )
        self.assertEqual(["APPLE", "BERRY", "APPLE", "NONE"], [d["name"] for d in found])
        inner = self.run_on(
            {"$lookup": {"from": "sales", "let": {"i": "$_id"}, "as": "s",
                         "pipeline": [{"$match": {"$expr": {"$eq": ["$item", "$$i"]}}}, {"$count": "n"}]}},
            {"$sort": {"_id": 1}}, collection="items",
        )
        self.assertEqual([[{"n": 2}], [{"n": 1}]], [d["s"] for d in inner])

    def test_facets_buckets_and_counts(self):
        (found,) = self.run_on(
            {"$facet": {
                "months": [{"$group": {"_id": {"$month": "$at"}, "n": {"$count": {}}}}, {"$sort": {"_id": 1}}],
                "sizes": [{"$bucket": {"groupBy": "$qty", "boundaries": [0, 3, 8], "default": "more"}}],
                "tags": [{"$unwind": "$tags"}, {"$sortByCount": "$tags"}],
            }}
        )
        self.assertEqual([{"_id": 1, "n": 2}, {"_id": 2, "n": 1}, {"_id": 3, "n": 1}], found["months"])
        self.assertEqual([{"_id": 0, "count": 2}, {"_id": 3, "count": 1}, {"_id": "more", "count": 1}], found["sizes"])
        self.assertEqual([{"_id": "x", "count": 2}, {"_id": "y", "count": 1}], found["tags"])

    def test_expressions(self):
        (found,) = self.run_on(
            {"$match": {"_id": 2}},
            {"$project": {
                "_id": 0,
                "day": {"$dateToString": {"date": "$at", "format": "%Y/%m/%d"}},
                "next": {"$dateAdd": {"startDate": "$at", "unit": "month", "amount": 2}},
                "big": {"$switch": {"branches": [{"case": {"$gt": ["$qty", 5]}, "then": "big"}], "default": "small"}},
                "map": {"$map": {"input": "$tags", "as": "t", "in": {"$concat": ["$$t", "!"]}}},
                "filter": {"$filter": {"input": [1, 2, 3], "cond": {"$gte": ["$$this", 2]}}},
                "sum": {"$reduce": {"input": [1, 2, 3], "initialValue": 0, "in": {"$add": ["$$value", "$$this"]}}},
                "merged": {"$mergeObjects": [{"a": 1}, {"b": "$qty"}]},
                "split": {"$split": ["a,b", ","]},
                "cond": {"$cond": [{"$in": ["y", "$tags"]}, "has y", "no y"]},
                "int": {"$toInt": "7"},
                "type": {"$type": "$price"},
                "round": {"$round": [2.5, 0]},
            }},
        )
        self.assertEqual(
            {
                "day": "2024/01/15", "next": datetime(2024, 3, 15), "big": "small", "map": ["x!", "y!"], "filter": [2, 3],
                "sum": 6, "merged": {"a": 1, "b": 1}, "split": ["a", "b"], "cond": "has y", "int": 7, "type": "decimal",
                "round": 2,
            },
            found,
        )

    def test_windows_and_graphs(self):
        found = self.run_on(
            {"$setWindowFields": {"partitionBy": "$item", "sortBy": {"at": 1},
                                  "output": {"run": {"$sum": "$qty", "window": {"documents": ["unbounded", "current"]}}}}},
            {"$sort": {"_id": 1}},
        )
        self.assertEqual([2, 1, 7, 10], [d["run"] for d in found])
        self.db.tree.insert_many([{"_id": "root"}, {"_id": "child", "p": "root"}, {"_id": "leaf", "p": "child"}])
        (leaf,) = self.run_on(
            {"$match": {"_id": "leaf"}},
            {"$graphLookup": {"from": "tree", "startWith": "$p", "connectFromField": "p", "connectToField": "_id",
                              "as": "up", "depthField": "d"}},
            collection="tree",
        )
        self.assertEqual({"child": 0, "root": 1}, {d["_id"]: d["d"] for d in leaf["up"]})

    def test_out_and_merge(self):
        self.run_on({"$match": {"item": "a"}}, {"$out": "copy"})
        self.assertEqual([1, 3], [d["_id"] for d in self.db.copy.find().sort("_id")])
        self.run_on({"$project": {"qty": 1}}, {"$merge": {"into": "copy", "whenMatched": "replace", "whenNotMatched": "insert"}})
        self.assertEqual({"_id": 3, "qty": 5}, self.db.copy.find_one({"_id": 3}))
        self.assertEqual(4, self.db.copy.count_documents({}))

    def test_views(self):
        self.db.command("create", "cheap", viewOn="sales", pipeline=[{"$match": {"qty": {"$gt": 1}}}, {"$unset": "tags"}])
        self.assertEqual([1, 3, 4], [d["_id"] for d in self.db.cheap.find({}, {"_id": 1}).sort("_id")])
        self.assertEqual(2, self.db.cheap.count_documents({"item": "a"}))
        self.assertCode(166, self.db.cheap.insert_one, {})

    def test_batches_and_let(self):
        self.db.many.insert_many([{"_id": n} for n in range(500)])
        cursor = self.db.many.aggregate([{"$match": {"$expr": {"$gte": ["$_id", "$$from"]}}}], batchSize=9, let={"from": 100})
        self.assertEqual(400, len(list(cursor)))

    def test_wrong_pipelines_are_refused(self):
        self.assertCode(40324, self.run_on, {"$nonsense": 1})
        self.assertCode(15952, self.run_on, {"$group": {"_id": 1, "x": {"$nonsense": 1}}})
        self.assertCode(28818, self.run_on, {"$unwind": "a"})
        self.assertCode((168, 31325), self.run_on, {"$project": {"x": {"$nonsense": 1}}})
        self.assertCode(2, self.run_on, {"$project": {"x": {"$divide": [1, 0]}}})
