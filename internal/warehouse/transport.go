package warehouse

import (
	"bytes"
	"context"
	"fmt"
	"io"
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
	pool := t.engine.writers
	if t.readonly {
		pool = t.engine.readers
	}
	ctx := req.Context()
	c, err := t.engine.checkout(ctx, pool, t.readonly)
	if err != nil {
		return nil, err
	}
	release := func() { pool.slots <- c }
	settings, params := split(q)
	if err := t.engine.apply(c, settings, t.readonly); err != nil {
		release()
		return failure(req, err), nil
	}
	if q.Get("query") != "" {
		err := t.engine.insert(ctx, c, sql, req.Body)
		release()
		if err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return failure(req, err), nil
		}
		return success(req, http.NoBody, 0), nil
	}
	stop := t.engine.watch(ctx, c)
	res, err := t.engine.query(c, sql, "Native", params)
	stop()
	release()
	if ctx.Err() != nil {
		if err == nil {
			res.close()
		}
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return failure(req, err), nil
	}
	return success(req, &resultBody{result: res, rest: res.data}, int64(len(res.data))), nil
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
			set = append(set, name+" = '"+quoteEscaper.Replace(value)+"'")
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
	for _, s := range set {
		name, _, _ := strings.Cut(s, " ")
		if !settingName.MatchString(name) {
			return &Error{Code: 115, Name: "UNKNOWN_SETTING", Message: "no setting " + name}
		}
	}
	slices.Sort(set)
	c.applied = map[string]string{}
	if err := e.run(c, "SET "+strings.Join(set, ", ")); err != nil {
		return err
	}
	for k, v := range want {
		c.applied[k] = v
	}
	return nil
}

var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// formatNative is the end of clickhouse-go's INSERT; the streaming call takes the format beside the statement.
var formatNative = regexp.MustCompile(`(?is)\s+FORMAT\s+Native\s*;?\s*$`)

// insert streams Native blocks into the engine. Nothing is written before all of it has arrived.
func (e *Engine) insert(ctx context.Context, c *conn, sql string, body io.Reader) error {
	sql = formatNative.ReplaceAllString(sql, "")
	data, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read the block: %w", err)
	}
	stop := e.watch(ctx, c)
	defer stop()
	return e.insertNative(c, sql, data)
}

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
func failure(req *http.Request, err error) *http.Response {
	e := parseError(err.Error())
	if ours, ok := err.(*Error); ok {
		e = ours
	}
	text := "Code: " + strconv.Itoa(int(e.Code)) + ". DB::Exception: " + e.Message
	status := http.StatusInternalServerError
	if e.Code == 60 || e.Code == 81 {
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"X-Clickhouse-Exception-Code": {strconv.Itoa(int(e.Code))}}, Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text)), Request: req}
}

// resultBody reads an answer out of the engine's memory and frees it on Close.
type resultBody struct {
	result *result
	rest   []byte
}

func (b *resultBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *resultBody) Close() error {
	b.rest = nil
	b.result.close()
	return nil
}
