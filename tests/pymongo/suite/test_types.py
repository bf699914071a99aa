import datetime
import struct

from bson import (
    Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, SON, Timestamp, decode, encode,
)
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument

from support import DatabaseTest

NAN_WITH_PAYLOAD = struct.unpack("<d", bytes.fromhex("010000000000f87f"))[0]

EVERY_TYPE = SON(
    [
        ("double", 1.5),
        ("minus zero", -0.0),
        ("infinity", float("-inf")),
        ("nan", float("nan")),
        ("payload", NAN_WITH_PAYLOAD),
        ("string", "Grüße, 世界 \U0001f600 \0 inside"),
        ("empty", ""),
        ("document", SON([("z", 1), ("a", SON([("$x", 1), ("b.c", 2), ("", 3)]))])),
        ("array", [1, "two", None, [3, []], {}]),
        ("binary", Binary(b"\x00\x01\xff", 0)),
        ("old binary", Binary(b"\x01\x02", 2)),
        ("uuid", Binary(bytes(range(16)), 4)),
        ("md5", Binary(bytes(16), 5)),
        ("user", Binary(b"", 128)),
        ("id", ObjectId("0123456789abcdef01234567")),
        ("true", True),
        ("false", False),
        ("date", datetime.datetime(2020, 2, 29, 23, 59, 59, 999000)),
        ("early", datetime.datetime(1, 1, 1)),
        ("null", None),
        ("regex", Regex("^a/b", "im")),
        ("code", Code("function () {}")),
        ("scoped", Code("x", {"x": 1})),
        ("int", -(2**31)),
        ("timestamp", Timestamp(4294967295, 4294967295)),
        ("long", Int64(5)),
        ("huge", Int64(2**63 - 1)),
        ("decimal", Decimal128("1.20E+3")),
        ("decimal nan", Decimal128("NaN")),
        ("min", MinKey()),
        ("max", MaxKey()),
        ("ref", DBRef("there", 5, "elsewhere")),
    ]
)

RAW = CodecOptions(document_class=RawBSONDocument)
UNDEFINED_SYMBOL_POINTER = (
    b"\x06u\x00"
    b"\x0es\x00\x04\x00\x00\x00abc\x00"
    b"\x0cp\x00\x03\x00\x00\x00ns\x00" + bytes(12)
)


class RoundTrip(DatabaseTest):
    # JavaScript knows one NaN only: values the server has to compute with don't keep a payload.
    COMPUTED = SON(item for item in EVERY_TYPE.items() if item[0] != "payload")

    def same_bytes(self, document):
        raw = self.db.get_collection("c", codec_options=RAW)
        raw.insert_one(RawBSONDocument(document))
        self.assertEqual(document, raw.find_one({"_id": 1}).raw)

    def test_every_type_comes_back_byte_for_byte(self):
        self.same_bytes(encode(SON([("_id", 1), ("v", EVERY_TYPE), *EVERY_TYPE.items()])))

    def test_deprecated_types_come_back_byte_for_byte(self):
        body = b"\x10_id\x00\x01\x00\x00\x00" + UNDEFINED_SYMBOL_POINTER
        self.same_bytes(struct.pack("<i", len(body) + 5) + body + b"\x00")

    def test_an_update_leaves_other_fields_as_they_are(self):
        raw = self.db.get_collection("c", codec_options=RAW)
        raw.insert_one(RawBSONDocument(encode(SON([("_id", 1), ("n", 0), ("v", self.COMPUTED)]))))
        self.db.c.update_one({"_id": 1}, {"$inc": {"n": 1}})
        self.assertEqual(encode(SON([("_id", 1), ("n", 1), ("v", self.COMPUTED)])), raw.find_one({"_id": 1}).raw)

    def test_replaced_and_aggregated_values_keep_their_bytes(self):
        raw = self.db.get_collection("c", codec_options=RAW)
        self.db.c.replace_one({"_id": 1}, SON([("_id", 1), ("v", self.COMPUTED)]), upsert=True)
        shaped = next(raw.aggregate([{"$replaceWith": "$v"}]))
        self.assertEqual(encode(self.COMPUTED), shaped.raw)

    def test_every_type_can_be_an_id_and_is_found_by_it(self):
        forbidden = {"array", "regex", "scoped", "code"}
        for name, value in EVERY_TYPE.items():
            if name in forbidden or name in ("document", "nan", "payload", "decimal nan", "minus zero", "ref"):
                continue
            with self.subTest(name):
                self.db.c.drop()
                self.db.c.insert_one({"_id": value})
                self.assertEqual(1, self.db.c.count_documents({"_id": value}))
                self.assertCode(11000, self.db.c.insert_one, {"_id": value})

    def test_arrays_and_regexes_cannot_be_ids(self):
        for value in ([1], Regex("a")):
            with self.subTest(value):
                self.assertCode((2, 53), self.db.c.insert_one, {"_id": value})
                self.assertCode((2, 53), self.db.c.update_one, {}, {"$set": {"_id": value}}, upsert=True)

    def test_numbers_of_all_kinds_are_one_key(self):
        self.db.c.insert_one({"_id": 1})
        for same in (1.0, Int64(1), Decimal128("1.00")):
            self.assertCode(11000, self.db.c.insert_one, {"_id": same})
            self.assertEqual(1, self.db.c.count_documents({"_id": same}))

    def test_dates_out_of_the_usual_range(self):
        options = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
        raw = self.db.get_collection("c", codec_options=options)
        date = b"\x09d\x00" + bytes(8)
        body = encode({"_id": 1, "d": datetime.datetime(1970, 1, 1)}).replace(date, date[:3] + b"\xff" * 7 + b"\x7f")
        self.db.get_collection("c", codec_options=RAW).insert_one(RawBSONDocument(body))
        self.assertEqual(2**63 - 1, int(raw.find_one()["d"]))

    def test_a_document_near_16_mb_fits_and_a_larger_one_is_refused(self):
        text = "x" * (16 * 1024 * 1024 - 60)
        self.db.c.insert_one({"_id": 1, "t": text})
        self.assertEqual(len(text), len(self.db.c.find_one()["t"]))
        with self.assertRaises(Exception):
            self.db.c.insert_one({"_id": 2, "t": text + "x" * 200})
        self.assertCode(17419, self.db.c.update_one, {"_id": 1}, {"$set": {"u": "x" * 100}})

    def test_bytes_survive_a_change_stream(self):
        raw = self.db.get_collection("c", codec_options=RAW)
        with raw.watch() as stream:
            document = encode(SON([("_id", 1), ("v", EVERY_TYPE)]))
            raw.insert_one(RawBSONDocument(document))
            event = stream.next()
            self.assertEqual(decode(document).keys(), decode(event.raw, RAW)["fullDocument"].keys())
            self.assertEqual(document, decode(event.raw, RAW)["fullDocument"].raw)
