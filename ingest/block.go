package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/warehouse"
)

// eventColumns are the columns of `events` in the order of block's slices.
var eventColumns = []string{
	"kind", "at", "id", "source", "account", "subject", "incident", "service", "team", "person", "actor",
	"title", "urgency", "priority", "severity", "alert_class", "cause", "channel", "state", "page", "policy",
	"targets", "level", "auto", "drill", "delivered", "time_quality", "data", "extensions", "seen", "partition", "offset", "digest",
}

// record is one record of the log as the decoder needs it. Its bytes belong to it.
type record struct {
	offset  int64
	time    time.Time
	value   []byte
	null    bool // a tombstone: no value at all
	sealed  bool // by the publisher, as its header says
	headers []header
}

type header struct {
	name  string
	value []byte
}

func (r *record) header(name string) (string, bool) {
	for _, h := range r.headers {
		if h.name == name {
			return string(h.value), true
		}
	}
	return "", false
}

// block is the rows of one span, column by column, so that an insert appends whole
// slices. A row is a pure function of the record, its partition, its offset and the
// vault's key: the same span gives the same block on every machine and at every time,
// which is what lets a token stand for it.
type block struct {
	span     span
	vault    *identity.Vault
	people   []identity.Entry // of records that were not sealed; known before the insert
	bytes    int              // of the records' values
	replayed bool             // the span of an intent that was found

	kind, id, source, account, subject               []string
	incident, service, team, person, actor           []string
	title, urgency, priority, severity, class, cause []string
	channel, state, page, policy                     []string
	at, seen                                         []time.Time
	targets                                          [][]string
	level                                            []int16
	auto, drill                                      []uint8
	delivered                                        []int8
	quality, data, extensions                        []string
	partition                                        []int32
	offset                                           []int64
	digest                                           []uint64
	bad                                              []badRow
	records                                          []record // all of the span, for cutting it in half
}

// rows is how many events the block holds.
func (b *block) rows() int { return len(b.id) }

// recycle empties a block and keeps its memory for the next span: growing thirty columns
// anew for every span costs more than decoding into them.
func (b *block) recycle(s span) *block {
	clear(b.records) // the bytes of a stored span are free to go
	*b = block{
		span: s, vault: b.vault,
		kind: b.kind[:0], id: b.id[:0], source: b.source[:0], account: b.account[:0], subject: b.subject[:0],
		incident: b.incident[:0], service: b.service[:0], team: b.team[:0], person: b.person[:0], actor: b.actor[:0],
		title: b.title[:0], urgency: b.urgency[:0], priority: b.priority[:0], severity: b.severity[:0], class: b.class[:0], cause: b.cause[:0],
		channel: b.channel[:0], state: b.state[:0], page: b.page[:0], policy: b.policy[:0],
		at: b.at[:0], seen: b.seen[:0], targets: b.targets[:0], level: b.level[:0],
		auto: b.auto[:0], drill: b.drill[:0], delivered: b.delivered[:0], quality: b.quality[:0], data: b.data[:0], extensions: b.extensions[:0],
		partition: b.partition[:0], offset: b.offset[:0], digest: b.digest[:0], records: b.records[:0],
	}
	return b
}

// add decodes one record. Nothing is ever dropped: what is not an event becomes a
// quarantine row, and a tombstone, which says nothing, is passed over.
func (b *block) add(topic string, partition int32, r record) {
	b.records = append(b.records, r)
	b.bytes += len(r.value) + 64
	if r.null {
		return
	}
	if reason, ok := r.header(headerPoison); ok {
		b.bad = append(b.bad, poisonRow(topic, partition, r, reason))
		return
	}
	e, f, err := decodeRecord(&r)
	if err == nil && e.Seen.IsZero() {
		e.Seen = r.time.UTC().Truncate(time.Millisecond)
	}
	if err == nil && e.At.IsZero() {
		e.At = e.Seen
	}
	if err == nil && event.CheckTime("recordedtime", e.Seen) != nil {
		e.Seen = e.At // a record without a usable timestamp
		err = event.CheckTime("time", e.At)
	}
	if err != nil {
		b.bad = append(b.bad, recordRow(topic, partition, r, err))
		return
	}
	if b.vault != nil {
		e, f = b.seal(e, f, &r)
	}
	b.append(e, f, partition, r)
}

// seal makes what others wrote to the topic in plain into what the publisher would have
// written. The fields are read again only where something changed.
func (b *block) seal(e event.Event, f event.Fields, r *record) (event.Event, event.Fields) {
	if r.sealed || !seal(b.vault, &e, &b.people) {
		return e, f
	}
	if sealed, err := event.Decode(e.Kind, e.Data, unmarshal); err == nil { // tokens are as valid as what they replace
		f = sealed
	}
	return e, f
}

// decodeRecord tells the modes apart: structured by the content type or by the first
// byte, binary by its ce_ headers.
func decodeRecord(r *record) (event.Event, event.Fields, error) {
	if _, ok := r.header("ce_specversion"); ok {
		return binaryKafka(func(yield func(string, []byte)) {
			for _, h := range r.headers {
				yield(h.name, h.value)
			}
		}, r.value)
	}
	return ParseCloudEvent(r.value)
}

// accountOf is the second element of a source's path: "acme" of "/pagerduty/acme/webhook".
func accountOf(source string) string {
	rest, ok := strings.CutPrefix(source, "/")
	if !ok {
		return ""
	}
	_, rest, ok = strings.Cut(rest, "/")
	if !ok {
		return ""
	}
	account, _, _ := strings.Cut(rest, "/")
	return account
}

func (b *block) append(e event.Event, f event.Fields, partition int32, r record) {
	b.kind = append(b.kind, string(e.Kind))
	b.at = append(b.at, e.At)
	b.id = append(b.id, e.ID)
	b.source = append(b.source, e.Source)
	b.account = append(b.account, accountOf(e.Source))
	b.subject = append(b.subject, e.Subject)
	b.incident = append(b.incident, f.Incident)
	b.service = append(b.service, f.Service)
	b.team = append(b.team, f.Team)
	b.person = append(b.person, f.Person)
	b.actor = append(b.actor, f.Actor())
	b.title = append(b.title, f.Title)
	b.urgency = append(b.urgency, f.Urgency)
	b.priority = append(b.priority, f.Priority)
	b.severity = append(b.severity, f.Severity)
	b.class = append(b.class, f.AlertClass)
	b.cause = append(b.cause, f.Cause)
	b.channel = append(b.channel, f.Channel)
	b.state = append(b.state, f.State)
	b.page = append(b.page, f.Page)
	b.policy = append(b.policy, f.Policy)
	if f.To == nil {
		f.To = event.Targets{}
	}
	b.targets = append(b.targets, f.To)
	level := int16(-1)
	if f.Level != nil {
		level = int16(*f.Level)
	}
	b.level = append(b.level, level)
	b.auto = append(b.auto, bit(f.Auto))
	b.drill = append(b.drill, bit(f.Drill))
	delivered := int8(-1)
	if f.Delivered != nil {
		delivered = int8(bit(f.Delivered))
	}
	b.delivered = append(b.delivered, delivered)
	b.quality = append(b.quality, e.TimeQuality)
	b.data = append(b.data, view(e.Data))
	extensions := ""
	if len(e.Extensions) > 0 {
		extensions = "{" + string(e.Extensions) + "}"
	}
	b.extensions = append(b.extensions, extensions)
	b.seen = append(b.seen, e.Seen)
	b.partition = append(b.partition, partition)
	b.offset = append(b.offset, r.offset)
	b.digest = append(b.digest, b.contentOf(len(b.id)-1))
}

func bit(p *bool) uint8 {
	if p != nil && *p {
		return 1
	}
	return 0
}

// fill hands the block to an insert into `events`.
func (b *block) fill(to warehouse.Batch) error {
	for i, column := range []any{
		b.kind, b.at, b.id, b.source, b.account, b.subject, b.incident, b.service, b.team, b.person, b.actor,
		b.title, b.urgency, b.priority, b.severity, b.class, b.cause, b.channel, b.state, b.page, b.policy,
		b.targets, b.level, b.auto, b.drill, b.delivered, b.quality, b.data, b.extensions, b.seen, b.partition, b.offset, b.digest,
	} {
		if err := to.Column(i).Append(column); err != nil {
			return err
		}
	}
	return nil
}

// halve cuts the block at the middle record into two spans that cover it exactly. It
// needs at least two records.
func (b *block) halve(topic string, partition int32) (head, tail *block) {
	mid := len(b.records) / 2
	last := b.records[mid-1].offset
	head, tail = &block{span: span{b.span.first, last}, vault: b.vault}, &block{span: span{last + 1, b.span.last}, vault: b.vault}
	for i, r := range b.records {
		if i < mid {
			head.add(topic, partition, r)
		} else {
			tail.add(topic, partition, r)
		}
	}
	return head, tail
}

// refused turns a block of one record into the quarantine row for it.
func (b *block) refused(topic string, partition int32, err error) *block {
	out := &block{span: b.span, records: b.records}
	for _, r := range b.records {
		out.bad = append(out.bad, refusedRow(topic, partition, r, err))
	}
	return out
}

// badRow is a row of `quarantine`.
type badRow struct {
	id                                      string
	received, seen                          time.Time
	source, account, reason, field, headers string
	raw                                     []byte
	partition                               int32
	offset                                  int64
}

var badColumns = []string{
	"id", "received", "seen", "source", "account", "reason", "field", "headers", "raw", "digest", "partition", "offset",
}

func fillBad(to warehouse.Batch, rows []badRow) error {
	for _, r := range rows {
		if err := to.Append(r.id, r.received, r.seen, r.source, r.account, r.reason, r.field, r.headers,
			string(r.raw), digest(r.source, r.account, r.raw), r.partition, r.offset); err != nil {
			return err
		}
	}
	return nil
}

func newBadRow(topic string, partition int32, r record) badRow {
	seen := r.time.UTC().Truncate(time.Millisecond)
	if event.CheckTime("", seen) != nil {
		seen = event.Earliest
	}
	return badRow{
		id: recordID(topic, partition, r.offset), received: seen, seen: seen,
		headers: "{}", raw: r.value, partition: partition, offset: r.offset,
	}
}

// poisonRow is a record that the publisher already knew to be poison.
func poisonRow(topic string, partition int32, r record, reason string) badRow {
	row := newBadRow(topic, partition, r)
	row.reason = reason
	row.field, _ = r.header(headerField)
	row.source, _ = r.header(headerSource)
	row.account, _ = r.header(headerAccount)
	if h, ok := r.header(headerHeaders); ok && json.Valid([]byte(h)) {
		row.headers = h
	}
	if text, ok := r.header(headerReceived); ok {
		if t, err := instant("", text); err == nil && !t.IsZero() {
			row.received = t
		}
	}
	return row
}

// recordRow is a record of the topic that is not an event of the vocabulary.
func recordRow(topic string, partition int32, r record, err error) badRow {
	row := newBadRow(topic, partition, r)
	row.source = "kafka"
	row.reason = reasonOf(err)
	var fe *event.FieldError
	if errors.As(err, &fe) {
		row.field = fe.Field
	}
	if len(r.headers) > 0 {
		m := make(map[string]string, len(r.headers))
		for _, h := range r.headers {
			m[h.name] = string(h.value)
		}
		if b, err := json.Marshal(m); err == nil {
			row.headers = string(b)
		}
	}
	return row
}

// refusedRow is an event that the warehouse would not take.
func refusedRow(topic string, partition int32, r record, err error) badRow {
	row := recordRow(topic, partition, r, errors.New("refused by the warehouse"))
	var we *warehouse.Error
	if errors.As(err, &we) && we.Name != "" {
		row.reason += ": " + we.Name
	}
	return row
}

func reasonOf(err error) string {
	if errors.Is(err, ErrUnknownType) {
		return "unknown type"
	}
	var fe *event.FieldError
	if errors.As(err, &fe) {
		return fe.Reason
	}
	return err.Error()
}

// recordID names a place in the log.
func recordID(topic string, partition int32, offset int64) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d", topic, partition, offset))
	return hex.EncodeToString(h[:12])
}
