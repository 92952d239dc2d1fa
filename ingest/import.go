package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/ingest/source"
	"github.com/stewardhq/steward/internal/warehouse"
)

// The importer takes a file into the log and waits until its events are answers.
//
// Theory of operation
//
//  1. The format cuts the file into deliveries; each is decoded alone, and one that
//     cannot be decoded goes to quarantine, its neighbours on.
//  2. Events are gathered into chunks of a few thousand. Before a chunk is published,
//     the warehouse is asked which of its identities it holds already: one query that
//     reads only the chunk's kinds and its range of `at`, the sort key of events. Those
//     are duplicates, and are not published again, unless they carry an earlier
//     recordedtime than the stored copy, which then becomes the one that counts.
//  3. Between publishing and being queryable an identity is in neither place, so the
//     identities published since the last drain are kept, as 16 bytes each. At a hundred
//     thousand of them the importer waits for the sink and forgets them: memory stays
//     bounded, and the count of duplicates is exact all the same.
//  4. A log that is full or away is waited for; the sink makes room. After two minutes
//     without progress the import gives up. Running it again does the rest.

const (
	chunkEvents  = 4000
	chunkBytes   = 4 << 20
	drainEvery   = 100_000 // identities remembered
	queryIDs     = 2000    // of one question to the warehouse
	queryBytes   = 200 << 10
	maxStandDown = 2 * time.Minute
)

// ImportStats counts what an import has done so far.
type ImportStats struct {
	Events      uint64 `json:"events"`      // new, and published
	Duplicates  uint64 `json:"duplicates"`  // already stored, or repeated in the file
	Quarantined uint64 `json:"quarantined"` // deliveries that could not be decoded
	Bytes       int64  `json:"bytes"`       // consumed of the file, as it is stored
}

// ErrUnknownFormat says that there is no import format of this name.
var ErrUnknownFormat = errors.New("unknown import format")

// Formats lists the import formats' names.
func Formats() []string {
	out := []string{cloudEvents}
	for _, f := range source.Imports() {
		out = append(out, f.Name)
	}
	return out
}

func importFormat(name string) (source.Format, error) {
	if name == cloudEvents {
		return cloudEventsFile(), nil
	}
	for _, f := range source.Imports() {
		if f.Name == name && f.Open != nil {
			return f, nil
		}
	}
	return source.Format{}, fmt.Errorf("%w %q; there are %s", ErrUnknownFormat, name, strings.Join(Formats(), ", "))
}

// drainer is what the importer needs of a Sink.
type drainer interface {
	Drain(ctx context.Context) error
}

// ImportConfig is one import. Format, Reader, Publisher, Sink and DB are required.
type ImportConfig struct {
	Format    string
	Account   string // default "default"
	Reader    io.Reader
	Publisher publisher
	Sink      drainer
	DB        *warehouse.DB
	Vault     *identity.Vault // the publisher's, under which events have their ids
	Now       func() time.Time
	Log       *slog.Logger
	Progress  func(ImportStats) // at most a few times a second; nil: none
}

type importer struct {
	cfg      ImportConfig
	format   source.Format
	stats    ImportStats
	chunk    []event.Event
	bytes    int
	recent   map[sourceID]time.Time // published since the last drain, and when seen
	reported time.Time
}

// sourceID is (source, id), hashed so that a hundred thousand of them stay small.
type sourceID [16]byte

func identityOf(src, id string) sourceID {
	h := sha256.New()
	io.WriteString(h, src)
	h.Write([]byte{0})
	io.WriteString(h, id)
	return sourceID(h.Sum(nil)[:16])
}

// Import returns when everything is queryable. On an error the stats say what was done;
// running the same import again is safe and does the rest.
func Import(ctx context.Context, cfg ImportConfig) (ImportStats, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Account != "" && !accountName(cfg.Account) {
		return ImportStats{}, errors.New("an account is named by letters, digits, dot, dash and underscore, at most 64")
	}
	format, err := importFormat(cfg.Format)
	if err != nil {
		return ImportStats{}, err
	}
	im := &importer{cfg: cfg, format: format, recent: make(map[sourceID]time.Time)}
	files, err := format.Open(cfg.Reader)
	if err != nil {
		return im.stats, fmt.Errorf("import: %w", err)
	}
	err = im.run(ctx, files)
	im.stats.Bytes = files.Offset()
	if err == nil {
		err = cfg.Sink.Drain(ctx)
	}
	if cfg.Progress != nil {
		cfg.Progress(im.stats)
	}
	if err != nil {
		return im.stats, fmt.Errorf("import: %w", err)
	}
	return im.stats, nil
}

func (im *importer) run(ctx context.Context, files source.Lines) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		d, err := files.Next()
		if errors.Is(err, io.EOF) {
			return im.flush(ctx)
		}
		if err != nil {
			// What came before the damage is good; the rest cannot be read.
			return errors.Join(im.flush(ctx), err)
		}
		if d.Account == "" {
			d.Account = im.cfg.Account
		}
		if d.Received.IsZero() {
			d.Received = im.cfg.Now().UTC().Truncate(time.Millisecond)
		}
		events, err := decode(im.format, d)
		if err != nil {
			if err := im.quarantine(ctx, d, err); err != nil {
				return err
			}
			continue
		}
		for _, e := range events {
			im.bytes += len(e.Data) + 256
		}
		im.chunk = append(im.chunk, events...)
		if len(im.chunk) >= chunkEvents || im.bytes >= chunkBytes {
			if err := im.flush(ctx); err != nil {
				return err
			}
		}
		im.stats.Bytes = files.Offset()
		im.report()
	}
}

func (im *importer) report() {
	if im.cfg.Progress == nil {
		return
	}
	if now := im.cfg.Now(); now.Sub(im.reported).Abs() >= 200*time.Millisecond {
		im.reported = now
		im.cfg.Progress(im.stats)
	}
}

// flush publishes the chunk's new events.
func (im *importer) flush(ctx context.Context) error {
	chunk := im.chunk
	im.chunk, im.bytes = nil, 0
	if len(chunk) == 0 {
		return nil
	}
	stored, err := im.stored(ctx, chunk)
	if err != nil {
		return err
	}
	fresh := make([]event.Event, 0, len(chunk))
	duplicates := uint64(0)
	now := im.cfg.Now().UTC().Truncate(time.Millisecond)
	for _, e := range chunk {
		if e.Seen.IsZero() {
			e.Seen = now
		}
		key := identityOf(e.Source, sealedID(im.cfg.Vault, e.ID))
		seen, again := im.recent[key]
		if !again {
			seen, again = stored[key]
		}
		if again {
			duplicates++
			if !e.Seen.Before(seen) {
				continue // the copy seen first is the one that counts, whichever comes first
			}
		}
		im.recent[key] = e.Seen
		fresh = append(fresh, e)
	}
	if err := im.publish(ctx, fresh); err != nil {
		return err
	}
	im.stats.Duplicates += duplicates
	im.stats.Events += uint64(len(chunk)) - duplicates
	if len(im.recent) >= drainEvery {
		if err := im.cfg.Sink.Drain(ctx); err != nil {
			return err
		}
		clear(im.recent)
	}
	return nil
}

// publish waits out a log that is full or away.
func (im *importer) publish(ctx context.Context, events []event.Event) error {
	err := im.patiently(ctx, func() error { return im.cfg.Publisher.Publish(ctx, events...) })
	if !errors.Is(err, ErrTooLarge) {
		return err
	}
	for _, e := range events { // one of them is the one; its neighbours go on
		err := im.patiently(ctx, func() error { return im.cfg.Publisher.Publish(ctx, e) })
		if errors.Is(err, ErrTooLarge) {
			im.stats.Quarantined++
			err = im.poison(ctx, Poison{Source: im.format.Name, Account: im.cfg.Account, Reason: ErrTooLarge.Error(), Body: MarshalCloudEvent(e)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) patiently(ctx context.Context, do func() error) error {
	for waited := time.Duration(0); ; {
		err := do()
		if err == nil || !errors.Is(err, ErrUnavailable) || waited >= maxStandDown {
			return err
		}
		pause(ctx, time.Second)
		waited += time.Second
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// stored asks which identities of the chunk are in the warehouse, and when the copy that
// counts was seen.
func (im *importer) stored(ctx context.Context, chunk []event.Event) (map[sourceID]time.Time, error) {
	out := make(map[sourceID]time.Time)
	for len(chunk) > 0 {
		n, size := 0, 0
		for n < len(chunk) && n < queryIDs && size < queryBytes {
			size += len(chunk[n].ID) + 3
			n++
		}
		if err := im.ask(ctx, chunk[:n], out); err != nil {
			return nil, err
		}
		chunk = chunk[n:]
	}
	return out, nil
}

func (im *importer) ask(ctx context.Context, chunk []event.Event, out map[sourceID]time.Time) error {
	from, to := chunk[0].At, chunk[0].At
	var kinds, ids []string
	for _, e := range chunk {
		if e.At.Before(from) {
			from = e.At
		}
		if e.At.After(to) {
			to = e.At
		}
		if !slices.Contains(kinds, string(e.Kind)) {
			kinds = append(kinds, string(e.Kind))
		}
		ids = append(ids, e.ID)
		if id := sealedID(im.cfg.Vault, e.ID); id != e.ID { // in plain it was stored before ids were sealed
			ids = append(ids, id)
		}
	}
	rows, err := im.cfg.DB.Query(ctx, "import-duplicates",
		`SELECT source, id, min(seen) FROM events
		WHERE kind IN {kinds:Array(String)} AND at >= {from:DateTime64(3,'UTC')} AND at <= {to:DateTime64(3,'UTC')} AND id IN {ids:Array(String)}
		GROUP BY source, id`,
		warehouse.Param{Name: "kinds", Value: kinds}, warehouse.Param{Name: "from", Value: from},
		warehouse.Param{Name: "to", Value: to}, warehouse.Param{Name: "ids", Value: ids})
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var src, id string
		var seen time.Time
		if err := rows.Scan(&src, &id, &seen); err != nil {
			return err
		}
		key := identityOf(src, sealedID(im.cfg.Vault, id))
		if first, again := out[key]; !again || seen.Before(first) {
			out[key] = seen
		}
	}
	return rows.Err()
}

// quarantine keeps a delivery that could not be decoded. Bytes that are there already,
// from an earlier run, are counted and not stored again.
func (im *importer) quarantine(ctx context.Context, d source.Delivery, why error) error {
	reason, field := undecodable(why)
	im.stats.Quarantined++
	x := Poison{
		Source: im.format.Name, Account: d.Account, Reason: reason, Field: field,
		Header: SafeHeader(d.Header), Body: d.Body, Received: d.Received,
	}
	known, err := im.quarantined(ctx, digest(x.Source, x.Account, x.Body))
	if err != nil || known {
		return err
	}
	return im.poison(ctx, x)
}

func (im *importer) poison(ctx context.Context, x Poison) error {
	return im.patiently(ctx, func() error { return im.cfg.Publisher.PublishPoison(ctx, x) })
}

func (im *importer) quarantined(ctx context.Context, digest string) (bool, error) {
	rows, err := im.cfg.DB.Query(ctx, "import-quarantined", `SELECT 1 FROM quarantine WHERE digest = {digest:String} LIMIT 1`,
		warehouse.Param{Name: "digest", Value: digest})
	if err != nil {
		return false, err
	}
	defer rows.Close()
	known := false
	for rows.Next() {
		known = true
	}
	return known, rows.Err()
}
