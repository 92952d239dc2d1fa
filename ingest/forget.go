package ingest

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Forgetting needs nothing of the log: it holds tokens. Two places may hold texts of a
// person all the same.
//
//  1. Quarantine keeps bytes as they came, since nobody could read them. Its rows that
//     hold a text of the person are deleted by a mutation. Facts are never changed in
//     place here; these are no facts, nothing is computed from them, and erasure is what
//     mutations are for. ClickHouse drops the part of before some minutes later.
//  2. Events from before there was an identity table or before titles were sealed, and
//     contacts in which somebody wrote an address. They are counted, and left.

// Forgotten is the event that says that a person was forgotten; token is theirs.
func Forgotten(token string, at time.Time) (event.Event, error) {
	return event.New(event.OwnSource, event.PersonForgotten, token, token, at, map[string]any{"person": token})
}

// forgetIDs is how many rows one mutation names.
const forgetIDs = 1000

// ForgetQuarantined deletes the quarantined records that hold one of a person's texts, and
// answers how many. It returns when they are gone on every replica. The statement that
// deletes them names rows and no texts, since ClickHouse keeps statements.
func ForgetQuarantined(ctx context.Context, db *warehouse.DB, texts []string) (int, error) {
	ids, err := quarantinedWith(ctx, db, texts)
	if err != nil {
		return 0, err
	}
	for done := 0; done < len(ids); done += forgetIDs {
		sql := "ALTER TABLE quarantine DELETE WHERE id IN ('" + strings.Join(ids[done:min(done+forgetIDs, len(ids))], "','") + "') SETTINGS mutations_sync = 2"
		if err := db.Exec(ctx, "forget quarantined", sql); err != nil {
			return done, fmt.Errorf("delete quarantined records: %w", err)
		}
	}
	return len(ids), nil
}

func quarantinedWith(ctx context.Context, db *warehouse.DB, texts []string) ([]string, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	rows, err := db.Query(ctx, "quarantined with a text", `SELECT DISTINCT id FROM quarantine WHERE match(concat(raw, ' ', headers), {texts:String})`,
		warehouse.Param{Name: "texts", Value: anyOf(texts)})
	if err != nil {
		return nil, fmt.Errorf("look through quarantine: %w", err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		if hexText.MatchString(id) { // it goes into a statement
			ids = append(ids, id)
		}
	}
	return ids, rows.Err()
}

var hexText = regexp.MustCompile(`^[0-9a-f]+$`)

// CountPlain says how many stored events still hold one of a person's ids in plain.
func CountPlain(ctx context.Context, db *warehouse.DB, ids []string) (n uint64, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	rows, err := db.Query(ctx, "events in plain", `SELECT count() FROM events WHERE person IN {ids:Array(String)} OR match(concat(source, ' ', id, ' ', subject, ' ', data, ' ', extensions), {texts:String})`,
		warehouse.Param{Name: "ids", Value: ids}, warehouse.Param{Name: "texts", Value: anyOf(ids)})
	if err != nil {
		return 0, fmt.Errorf("look for events in plain: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
	}
	return n, rows.Err()
}

// anyOf is a regular expression for one of the texts as a word of its own, in any case, as
// it is or with JSON's escapes. What precedes a word may be the letter of an escape, as in
// "\nAna".
func anyOf(texts []string) string {
	var forms []string
	for _, text := range texts {
		forms = append(forms, regexp.QuoteMeta(text))
		if escaped := asciiJSON(text); escaped != text {
			forms = append(forms, regexp.QuoteMeta(escaped))
		}
	}
	return `(?i)(?:^|[^0-9A-Za-z]|\\[bfnrt])(?:` + strings.Join(forms, "|") + `)(?:$|[^0-9A-Za-z])`
}

// asciiJSON is the inside of a JSON string in which everything is escaped that may be.
func asciiJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= 0x20 && r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
