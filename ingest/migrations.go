package ingest

import (
	"embed"
	"io/fs"
)

//go:embed schema/*.sql
var schema embed.FS

// Migrations is the schema of the write side: *.sql files at the root, applied in name
// order by the warehouse's migrator before a sink runs.
func Migrations() fs.FS {
	sub, err := fs.Sub(schema, "schema")
	if err != nil { // the directory is part of the binary
		return schema
	}
	return sub
}
