import threading
import time

import gridfs
import pymongo
from bson import Int64, ObjectId

from support import DatabaseTest


class Cursors(DatabaseTest):
    def test_get_more_and_kill(self):
        self.db.c.insert_many([{"_id": n} for n in range(300)])
        cursor = self.db.c.find().batch_size(10)
        next(cursor)
        self.assertNotEqual(0, cursor.cursor_id)
        kill = self.db.command("killCursors", "c", cursors=[cursor.cursor_id])
        self.assertEqual(1, len(kill["cursorsKilled"]))
        self.assertCode(43, lambda: list(cursor))
        self.assertCode(43, self.db.command, "getMore", Int64(12345), collection="c")

    def test_a_limit_of_minus_n_is_one_batch(self):
        self.db.c.insert_many([{"_id": n} for n in range(30)])
        cursor = self.db.c.find(limit=-20, batch_size=50)
        self.assertEqual(20, len(list(cursor)))
        self.assertEqual(0, cursor.cursor_id)

    def test_exhaust(self):
        self.db.c.insert_many([{"_id": n} for n in range(1000)])
        found = self.db.c.find(cursor_type=pymongo.CursorType.EXHAUST, batch_size=50)
        self.assertEqual(list(range(1000)), [d["_id"] for d in found])

    def test_capped_collections_let_the_oldest_go(self):
        capped = self.db.create_collection("capped", capped=True, size=100_000, max=5)
        capped.insert_many([{"_id": n} for n in range(9)])
        self.assertEqual([4, 5, 6, 7, 8], [d["_id"] for d in capped.find()])
        self.assertEqual([8, 7, 6, 5, 4], [d["_id"] for d in capped.find().sort("$natural", -1)])
        self.assertTrue(capped.options()["capped"])

    def test_tailable_cursors_wait_for_more(self):
        capped = self.db.create_collection("capped", capped=True, size=1_000_000)
        capped.insert_one({"_id": 0})
        cursor = capped.find(cursor_type=pymongo.CursorType.TAILABLE_AWAIT).max_await_time_ms(5000)
        self.assertEqual(0, next(cursor)["_id"])
        timer = threading.Timer(0.2, lambda: capped.insert_one({"_id": 1}))
        timer.start()
        begun = time.monotonic()
        self.assertEqual(1, next(cursor)["_id"])
        self.assertLess(time.monotonic() - begun, 4)
        timer.join()
        self.assertTrue(cursor.alive)
        cursor.close()
        plain = capped.find(cursor_type=pymongo.CursorType.TAILABLE)
        self.assertEqual([0, 1], [d["_id"] for d in plain])
        self.assertTrue(plain.alive)
        self.db.c.insert_one({})
        self.assertCode(2, lambda: next(self.db.c.find(cursor_type=pymongo.CursorType.TAILABLE)))

    def test_the_oplog_can_be_tailed(self):
        oplog = self.client.local["oplog.rs"]
        last = next(oplog.find().sort("$natural", -1).limit(1))
        tail = oplog.find({"ts": {"$gt": last["ts"]}, "ns": f"{self.db.name}.c"}, cursor_type=pymongo.CursorType.TAILABLE_AWAIT)
        self.db.c.insert_one({"_id": 1})
        self.db.c.update_one({"_id": 1}, {"$set": {"a": 1}})
        insert, update = next(tail), next(tail)
        self.assertEqual(("i", {"_id": 1}), (insert["op"], insert["o"]))
        self.assertEqual(("u", {"$v": 2, "diff": {"i": {"a": 1}}}, {"_id": 1}), (update["op"], update["o"], update["o2"]))
        self.assertLess(insert["ts"], update["ts"])


class Grid(DatabaseTest):
    def test_files_come_back_as_they_were(self):
        bucket = gridfs.GridFSBucket(self.db, chunk_size_bytes=1000)
        content = bytes(range(256)) * 40
        file_id = bucket.upload_from_stream("a.bin", content, metadata={"k": "v"})
        self.assertEqual(content, bucket.open_download_stream(file_id).read())
        self.assertEqual(11, self.db.fs.chunks.count_documents({"files_id": file_id}))
        newer = bucket.upload_from_stream("a.bin", b"newer")
        self.assertEqual(b"newer", bucket.open_download_stream_by_name("a.bin").read())
        self.assertEqual(content, bucket.open_download_stream_by_name("a.bin", revision=0).read())
        bucket.rename(newer, "b.bin")
        self.assertEqual({"a.bin", "b.bin"}, {f.filename for f in bucket.find()})
        with bucket.open_download_stream(file_id) as stream:
            stream.seek(5000)
            self.assertEqual(content[5000:5010], stream.read(10))
        bucket.delete(file_id)
        self.assertRaises(gridfs.NoFile, bucket.open_download_stream, file_id)
        self.assertEqual(0, self.db.fs.chunks.count_documents({"files_id": file_id}))
        self.assertIn("files_id_1_n_1", self.db.fs.chunks.index_information())

    def test_a_lost_chunk_is_noticed(self):
        bucket = gridfs.GridFSBucket(self.db, chunk_size_bytes=10)
        file_id = bucket.upload_from_stream("x", b"y" * 35)
        self.db.fs.chunks.delete_one({"files_id": file_id, "n": 2})
        self.assertRaises(gridfs.errors.CorruptGridFile, bucket.open_download_stream(file_id).read)
        self.assertIsInstance(file_id, ObjectId)
