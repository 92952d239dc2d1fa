package warehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// ledger remembers which text of a schema file was applied last.
const ledger = `CREATE TABLE IF NOT EXISTS schema_ledger (name String, hash String, applied_at DateTime64(3, 'UTC'))
ENGINE = ReplacingMergeTree(applied_at) ORDER BY name`

// Migrate applies the *.sql files of a file system in the order of their paths, statement by statement. A file
// whose text was applied last is skipped; a file that changed is applied again, so its statements must be
// idempotent and additive (CREATE … IF NOT EXISTS, CREATE OR REPLACE VIEW, ALTER … ADD COLUMN IF NOT EXISTS):
// what drops or rewrites is refused before anything runs. A file that begins with `-- projection: NAME` goes
// to EnsureProjection. File names must be unique over all calls, since the ledger knows them by name.
func (db *DB) Migrate(ctx context.Context, files fs.FS) error {
	var names []string
	err := fs.WalkDir(files, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(p, ".sql") {
			names = append(names, p)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the schema files: %w", err)
	}
	slices.Sort(names)
	db.schemaMu.Lock()
	err = db.change(ctx, "schema ledger", ledger)
	db.schemaMu.Unlock()
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("read the schema file %s: %w", name, err)
		}
		if projectionName(text) != "" {
			p, err := ParseProjection(name, text)
			if err != nil {
				return err
			}
			if _, err := db.EnsureProjection(ctx, p); err != nil {
				return err
			}
			continue
		}
		if err := db.migrateFile(ctx, name, string(text)); err != nil {
			return fmt.Errorf("schema file %s: %w", name, err)
		}
	}
	return nil
}

func (db *DB) migrateFile(ctx context.Context, name, text string) error {
	db.schemaMu.Lock()
	defer db.schemaMu.Unlock()
	hash := hashSQL(text)
	if before, seen := db.applied[name]; seen && before != hash {
		return fmt.Errorf("two schema files are called %s", path.Base(name))
	}
	statements := splitStatements(text)
	for _, sql := range statements {
		if err := additive(sql); err != nil {
			return err
		}
	}
	last, err := db.text(ctx, "schema ledger", "SELECT argMax(hash, applied_at) FROM schema_ledger WHERE name = {name:String}", Param{"name", name})
	if err != nil {
		return err
	}
	if last != hash {
		for _, sql := range statements {
			if err := db.change(ctx, "schema "+name, sql); err != nil {
				return err
			}
		}
		const record = "INSERT INTO schema_ledger SELECT {name:String}, {hash:String}, now64(3, 'UTC')"
		if err := db.Exec(ctx, "schema ledger", record, Param{"name", name}, Param{"hash", hash}); err != nil {
			return err
		}
		db.cfg.Log.Info("schema file applied", "file", name, "statements", len(statements))
	}
	if db.applied == nil {
		db.applied = map[string]string{}
	}
	db.applied[name] = hash
	return nil
}

// change runs one schema statement as this warehouse needs it.
func (db *DB) change(ctx context.Context, name, sql string) error {
	adapted, err := db.adapt(sql)
	if err != nil {
		return err
	}
	return db.Exec(ctx, name, adapted)
}

// additive refuses what could lose rows. Views hold none and may be dropped.
func additive(sql string) error {
	s := parseStatement(sql)
	bad := false
	switch s.verb {
	case "TRUNCATE", "DETACH", "RENAME", "EXCHANGE", "DELETE", "UPDATE", "OPTIMIZE":
		bad = true
	case "DROP":
		bad = s.object != "VIEW"
	case "ALTER":
		for i, t := range s.ts {
			if i >= s.name && t.depth == 0 && (t.is("DROP") || t.is("DELETE") || t.is("UPDATE") || t.is("CLEAR") || t.is("RENAME")) {
				bad = true
			}
		}
	case "CREATE":
		bad = s.object == "TABLE" && len(s.ts) > 2 && s.ts[1].is("OR")
	}
	if bad {
		return fmt.Errorf("schema files only add; this statement could lose rows: %.80q", normalSQL(sql))
	}
	return nil
}

// text gives the one value of a one-row answer as a string; "" when there is no row.
func (db *DB) text(ctx context.Context, name, sql string, params ...Param) (string, error) {
	rows, err := db.Query(ctx, name, sql, params...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var out string
	for rows.Next() {
		if err := rows.Scan(&out); err != nil {
			return "", err
		}
	}
	return out, rows.Err()
}

// hashSQL names a text by its meaning: comments and spacing do not count.
func hashSQL(text string) string {
	sum := sha256.Sum256([]byte(normalSQL(text)))
	return hex.EncodeToString(sum[:6])
}
