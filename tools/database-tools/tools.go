//go:build tools

// Package tools pins the MongoDB Database Tools that Roundtrip runs where none are on PATH.
package tools

import (
	_ "github.com/mongodb/mongo-tools/bsondump/main"
	_ "github.com/mongodb/mongo-tools/mongodump/main"
	_ "github.com/mongodb/mongo-tools/mongorestore/main"
)
