package warehouse

import (
	"runtime"
	"strings"
	"unsafe"
)

// result is an answer in the engine's memory. close frees it, once.
type result struct {
	lib    *library
	handle uintptr
	data   []byte // in C memory: valid until close
}

func (r *result) copy() []byte { return append([]byte(nil), r.data...) }

func (r *result) close() {
	if r.handle != 0 {
		r.lib.destroyResult(r.handle)
		r.handle, r.data = 0, nil
	}
}

// run executes a statement for its effect.
func (e *Engine) run(c *conn, sql string) error {
	r, err := e.query(c, sql, "Null", nil)
	if err != nil {
		return err
	}
	r.close()
	return nil
}

// cText gives the address of a string's bytes for the length-taking calls; the caller keeps it pinned.
func cText(pin *runtime.Pinner, s string) (unsafe.Pointer, uintptr) {
	if s == "" {
		s = "\x00"
		p := unsafe.StringData(s)
		return unsafe.Pointer(p), 0
	}
	p := unsafe.StringData(s)
	pin.Pin(p)
	return unsafe.Pointer(p), uintptr(len(s))
}

// param is a bound parameter; the value is TSV-escaped already.
type param struct{ name, value string }

// bound is the C arrays of parameters.
type bound struct{ names, nameLens, values, valueLens []uintptr }

func bind(pin *runtime.Pinner, params []param) bound {
	var b bound
	for _, p := range params {
		name, n := cText(pin, p.name)
		value, v := cText(pin, p.value)
		b.names, b.nameLens = append(b.names, uintptr(name)), append(b.nameLens, n)
		b.values, b.valueLens = append(b.values, uintptr(value)), append(b.valueLens, v)
	}
	return b
}

func first(pin *runtime.Pinner, a []uintptr) unsafe.Pointer {
	if len(a) == 0 {
		return nil
	}
	pin.Pin(&a[0])
	return unsafe.Pointer(&a[0])
}

// query executes a statement and holds the whole answer. When a statement fails after it has written rows, the
// engine keeps them and puts them in front of the connection's next answer (26.7.3): an empty statement after
// every failure takes them away.
func (e *Engine) query(c *conn, sql, format string, params []param) (*result, error) {
	res, err := e.queryOnce(c, sql, format, params)
	if err != nil {
		if flush, ferr := e.queryOnce(c, "SELECT 1", "Null", nil); ferr == nil {
			flush.close()
		}
	}
	return res, err
}

func (e *Engine) queryOnce(c *conn, sql, format string, params []param) (*result, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	q, qn := cText(&pin, sql)
	f, fn := cText(&pin, format)
	b := bind(&pin, params)
	h := e.lib.queryParams(c.inner, q, qn, f, fn, first(&pin, b.names), first(&pin, b.nameLens), first(&pin, b.values), first(&pin, b.valueLens), uintptr(len(params)))
	return e.take(h)
}

// take turns a result handle into its bytes or its error.
func (e *Engine) take(h uintptr) (*result, error) {
	if h == 0 {
		return nil, &Error{Code: codeLogical, Name: "LOGICAL_ERROR", Message: "the engine gave neither an answer nor an error"}
	}
	if msg := cString(e.lib.resultError(h)); msg != "" {
		e.lib.destroyResult(h)
		return nil, parseError(strings.TrimSpace(msg))
	}
	r := &result{lib: e.lib, handle: h}
	if p, n := e.lib.resultBuffer(h), e.lib.resultLength(h); p != nil && n > 0 {
		r.data = unsafe.Slice((*byte)(p), n)
	}
	return r, nil
}

// insertNative is one streaming INSERT: every block, then the commit, whose error is the insert's.
func (e *Engine) insertNative(c *conn, sql string, data []byte) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	q, qn := cText(&pin, sql)
	f, fn := cText(&pin, "Native")
	stream := e.lib.insertOpen(c.inner, q, qn, f, fn)
	defer e.lib.insertDestroy(stream)
	if msg := cString(e.lib.insertError(stream)); msg != "" {
		return parseError(msg)
	}
	const chunk = 1 << 20
	for len(data) > 0 {
		n := min(chunk, len(data))
		pin.Pin(&data[0])
		if e.lib.insertAppend(stream, unsafe.Pointer(&data[0]), uintptr(n)) != 0 {
			break // done reports why
		}
		data = data[n:]
	}
	res, err := e.take(e.lib.insertDone(stream))
	if err != nil {
		return err
	}
	res.close()
	return nil
}

// stream is a SELECT whose rows are fetched block by block, so that neither side holds the whole answer.
type stream struct {
	engine *Engine
	conn   *conn
	handle uintptr
}

// openStream starts a SELECT. Only SELECT can stream; the engine refuses the rest.
func (e *Engine) openStream(c *conn, sql string, params []param) (*stream, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	q, qn := cText(&pin, sql)
	f, fn := cText(&pin, "Native")
	b := bind(&pin, params)
	h := e.lib.streamQueryParams(c.inner, q, qn, f, fn, first(&pin, b.names), first(&pin, b.nameLens), first(&pin, b.values), first(&pin, b.valueLens), uintptr(len(params)))
	if h == 0 {
		return nil, &Error{Code: codeLogical, Name: "LOGICAL_ERROR", Message: "the engine gave neither an answer nor an error"}
	}
	if msg := cString(e.lib.resultError(h)); msg != "" {
		e.lib.destroyResult(h)
		return nil, parseError(strings.TrimSpace(msg))
	}
	return &stream{engine: e, conn: c, handle: h}, nil
}

// fetch gives the next block; nil at the end.
func (s *stream) fetch() (*result, error) {
	r, err := s.engine.take(s.engine.lib.streamFetch(s.conn.inner, s.handle))
	if err != nil {
		return nil, err
	}
	if len(r.data) == 0 {
		r.close()
		return nil, nil
	}
	return r, nil
}

// close ends the statement, also in the middle.
func (s *stream) close(finished bool) {
	if s.handle == 0 {
		return
	}
	if !finished {
		s.engine.lib.streamCancel(s.conn.inner, s.handle)
	}
	s.engine.lib.destroyResult(s.handle)
	s.handle = 0
}
