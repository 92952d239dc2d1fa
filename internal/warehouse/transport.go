package warehouse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// handshake is what clickhouse-go asks first on every connection.
const handshake = "SELECT displayName(), version(), revision(), timezone()"

// Transport answers ClickHouse's HTTP interface from the engine: the statement in the body or in ?query= with
// data in the body, settings and param_x in the URL, Native out, errors as status and X-ClickHouse-Exception-Code.
func (e *Engine) Transport(readonly bool) http.RoundTripper {
	return &transport{engine: e, readonly: readonly}
}

type transport struct {
	engine   *Engine
	readonly bool
}

// RoundTrip runs one statement on a connection of its own.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	q := req.URL.Query()
	sql := q.Get("query")
	if sql == "" && req.Body != nil {
		text, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, fmt.Errorf("read the statement: %w", err)
		}
		sql = string(text)
	}
	if strings.TrimSpace(sql) == handshake {
		return t.answerHandshake(req)
	}
	ctx := req.Context()
	if t.readonly && !mayRead(sql) {
		return failure(req, &Error{Code: codeReadonly, Name: "READONLY", Message: "only statements that read may run here. (READONLY)"}), nil
	}
	settings, params := split(q)
	var resp *http.Response
	var err error
	switch {
	case q.Get("query") != "":
		resp, err = t.insert(req, sql, settings)
	case t.readonly && selects.MatchString(sql):
		resp, err = t.selectStream(req, sql, params)
	default:
		resp, err = t.statement(req, sql, settings, params)
	}
	if err == nil {
		return resp, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var ours *Error
	if errors.As(err, &ours) {
		return failure(req, ours), nil
	}
	return nil, err
}

// mayRead keeps readers to reading. The engine itself lets a read-only connection kill statements and write its
// answer to a file (INTO OUTFILE is the client's doing, and here the client is the engine).
func mayRead(sql string) bool {
	ts := words(sql)
	for i, t := range ts {
		if t.is("OUTFILE") && i > 0 && ts[i-1].is("INTO") {
			return false
		}
	}
	for _, t := range ts {
		if t.text == "(" {
			continue
		}
		return slices.ContainsFunc([]string{"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"}, t.is)
	}
	return false
}

// selects recognises what the engine can stream.
var selects = regexp.MustCompile(`(?is)^(\s|--[^\n]*\n|/\*.*?\*/)*(\(\s*)*(SELECT|WITH)\b`)

// statement runs anything and holds its whole answer, which outlives the connection's turn.
func (t *transport) statement(req *http.Request, sql string, settings map[string]string, params []param) (*http.Response, error) {
	e, ctx, pool := t.engine, req.Context(), t.pool()
	c, err := e.checkout(ctx, pool, t.readonly)
	if err != nil {
		return nil, err
	}
	defer func() { pool.slots <- c }()
	if err := e.apply(c, settings, t.readonly); err != nil {
		return nil, err
	}
	stop := e.watch(ctx, c)
	res, err := e.query(c, sql, "Native", params)
	stop()
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		res.close()
		return nil, context.Cause(ctx)
	}
	return success(req, &answer{block: res}, int64(len(res.data))), nil
}

// selectStream runs a SELECT. Its first two blocks are fetched before anything is answered: an early failure
// becomes a proper status, and the usual small answer gives its connection back at once.
func (t *transport) selectStream(req *http.Request, sql string, params []param) (*http.Response, error) {
	e, ctx, pool := t.engine, req.Context(), t.pool()
	c, err := e.checkout(ctx, pool, t.readonly)
	if err != nil {
		return nil, err
	}
	stop := e.watch(ctx, c)
	s, err := e.openStream(c, sql, params)
	if err != nil {
		stop()
		pool.slots <- c
		return nil, err
	}
	end := func(finished bool) {
		stop()
		s.close(finished)
		pool.slots <- c
	}
	a := &answer{ctx: ctx, more: s.fetch, end: end}
	for _, slot := range []**result{&a.block, &a.next} {
		if *slot, err = s.fetch(); err != nil {
			a.Close()
			return nil, err
		}
		if *slot == nil {
			a.finish(true)
			break
		}
	}
	if a.next != nil {
		return success(req, a, -1), nil
	}
	if a.block == nil {
		return success(req, http.NoBody, 0), nil
	}
	return success(req, a, int64(len(a.block.data))), nil
}

// insert streams Native blocks into a table. Nothing is written before all of them have arrived.
func (t *transport) insert(req *http.Request, sql string, settings map[string]string) (*http.Response, error) {
	e, ctx, pool := t.engine, req.Context(), t.pool()
	var block bytes.Buffer
	block.Grow(64 << 10)
	if _, err := block.ReadFrom(req.Body); err != nil {
		return nil, fmt.Errorf("read the block: %w", err)
	}
	clause, err := settingsClause(settings)
	if err != nil {
		return nil, err
	}
	c, err := e.checkout(ctx, pool, t.readonly)
	if err != nil {
		return nil, err
	}
	defer func() { pool.slots <- c }()
	if err := e.apply(c, nil, t.readonly); err != nil {
		return nil, err
	}
	stop := e.watch(ctx, c)
	defer stop()
	if err := e.insertNative(c, formatNative.ReplaceAllString(sql, "")+clause, block.Bytes()); err != nil {
		return nil, err
	}
	return success(req, http.NoBody, 0), nil
}

func (t *transport) pool() *pool {
	if t.readonly {
		return t.engine.readers
	}
	return t.engine.writers
}

// split sorts the URL's values into settings and bound parameters.
func split(q url.Values) (settings map[string]string, params []param) {
	settings = map[string]string{}
	for key, values := range q {
		if len(values) == 0 {
			continue
		}
		switch name, bound := strings.CutPrefix(key, "param_"); {
		case bound:
			params = append(params, param{name, values[0]})
		case slices.Contains(notSettings, key):
		default:
			settings[key] = values[0]
		}
	}
	slices.SortFunc(params, func(a, b param) int { return strings.Compare(a.name, b.name) })
	return settings, params
}

// notSettings are the URL's own words, and settings that only mean something on a socket.
var notSettings = []string{"query", "database", "default_format", "client_protocol_version", "query_id", "quota_key",
	"session_id", "session_timeout", "compress", "decompress", "wait_end_of_query", "buffer_size", "user", "password",
	"readonly", "log_comment", "cancel_http_readonly_queries_on_client_close"}

// apply brings a connection's settings to exactly what the request asks for. Readers keep theirs: they are
// frozen, their limits were set at connect and a deadline kills them from outside.
func (e *Engine) apply(c *conn, want map[string]string, readonly bool) error {
	if readonly {
		return nil
	}
	var set []string
	for name, value := range want {
		if c.applied[name] != value {
			text, err := assignment(name, value)
			if err != nil {
				return err
			}
			set = append(set, text)
		}
	}
	for name := range c.applied {
		if _, ok := want[name]; !ok {
			set = append(set, name+" = DEFAULT")
		}
	}
	if len(set) == 0 {
		return nil
	}
	slices.Sort(set)
	if err := e.run(c, "SET "+strings.Join(set, ", ")); err != nil {
		return err
	}
	c.applied = maps.Clone(want)
	return nil
}

// settingsClause is the same for one INSERT, in its text: no extra statement before each of them.
func settingsClause(settings map[string]string) (string, error) {
	var set []string
	for name, value := range settings {
		text, err := assignment(name, value)
		if err != nil {
			return "", err
		}
		set = append(set, text)
	}
	if len(set) == 0 {
		return "", nil
	}
	slices.Sort(set)
	return " SETTINGS " + strings.Join(set, ", "), nil
}

var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func assignment(name, value string) (string, error) {
	if !settingName.MatchString(name) {
		return "", &Error{Code: 115, Name: "UNKNOWN_SETTING", Message: "no setting is called " + strconv.Quote(name)}
	}
	return name + " = '" + quoteEscaper.Replace(value) + "'", nil
}

// formatNative is the end of clickhouse-go's INSERT; the streaming call takes the format beside the statement.
var formatNative = regexp.MustCompile(`(?is)\s+FORMAT\s+Native\s*;?\s*$`)

// watch kills the connection's statement once ctx ends. The returned function ends the watch and waits for it,
// so that a late kill cannot hit the connection's next statement.
func (e *Engine) watch(ctx context.Context, c *conn) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		for {
			e.kill(c)
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() { close(done); <-ended }
}

// kill asks the statement of a connection to end, from the spare connection.
func (e *Engine) kill(c *conn) {
	e.spareMu.Lock()
	defer e.spareMu.Unlock()
	if err := e.run(e.spare, "KILL QUERY WHERE Settings['log_comment'] = '"+c.comment+"' ASYNC"); err != nil {
		e.log.Warn("a statement could not be cancelled", "error", err)
	}
}

// answerHandshake says who we are with revision 0: the engine's Native output has no block info, and from
// revision 0 on clickhouse-go expects none. This one answer is still read at the client's own revision.
func (t *transport) answerHandshake(req *http.Request) (*http.Response, error) {
	block := proto.NewBlock()
	for _, col := range []struct{ name, kind string }{{"displayName()", "String"}, {"version()", "String"}, {"revision()", "UInt32"}, {"timezone()", "String"}} {
		if err := block.AddColumn(col.name, column.Type(col.kind)); err != nil {
			return nil, fmt.Errorf("handshake: %w", err)
		}
	}
	if err := block.Append("steward", t.engine.version, uint32(0), "UTC"); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	buf := new(chproto.Buffer)
	if err := block.Encode(buf, clickhouse.ClientTCPProtocolVersion); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return success(req, io.NopCloser(bytes.NewReader(buf.Buf)), int64(len(buf.Buf))), nil
}

func success(req *http.Request, body io.ReadCloser, n int64) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"X-Clickhouse-Format": {"Native"}, "X-Clickhouse-Timezone": {"UTC"}}, Body: body, ContentLength: n, Request: req}
}

// failure is an exception as ClickHouse's HTTP interface sends it.
func failure(req *http.Request, e *Error) *http.Response {
	text := "Code: " + strconv.Itoa(int(e.Code)) + ". DB::Exception: " + e.Message
	status := http.StatusInternalServerError
	if e.Code == 60 || e.Code == 81 {
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"X-Clickhouse-Exception-Code": {strconv.Itoa(int(e.Code))}}, Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)), Request: req}
}
