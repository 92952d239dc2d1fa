package warehouse

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// ErrClosed is returned by every call after Close.
var ErrClosed = errors.New("the warehouse is closed")

// Error is an exception of ClickHouse. Code is ClickHouse's number, Name its symbol where the text carried it.
type Error struct {
	Code    int32
	Name    string
	Message string
	cause   error // clickhouse-go's, when it came through a server
}

func (e *Error) Unwrap() error { return e.cause }

func (e *Error) Error() string {
	if e.Name == "" {
		return "clickhouse error " + strconv.Itoa(int(e.Code)) + ": " + e.Message
	}
	return "clickhouse error " + strconv.Itoa(int(e.Code)) + " (" + e.Name + "): " + e.Message
}

// The codes this package speaks of; ClickHouse's ErrorCodes.cpp has them all.
const (
	codeLogical         = 49
	codeTimeout         = 159
	codeReadonly        = 164
	codeTooManyQueries  = 202
	codeSocketTimeout   = 209
	codeNetwork         = 210
	codeMemory          = 241
	codeTooManyParts    = 252
	codeCancelled       = 394
	codeTableReadonly   = 242
	codeNotEnoughSpace  = 243
	codeKeeper          = 999
	codeUnknownStatus   = 319
	codeAborted         = 236
	codeCannotWriteFile = 75
)

// transient are the codes that say "not now" rather than "not this": load, memory, disks, keepers, networks.
var transient = map[int32]bool{
	codeTimeout: true, codeTooManyQueries: true, codeSocketTimeout: true, codeNetwork: true, codeMemory: true,
	codeTooManyParts: true, codeCancelled: true, codeTableReadonly: true, codeNotEnoughSpace: true, codeKeeper: true,
	codeUnknownStatus: true, codeAborted: true, codeCannotWriteFile: true,
	3: true, 23: true, 24: true, 32: true, 74: true, 76: true, 95: true, 96: true, 101: true, 198: true, 203: true, 225: true, 244: true,
	279: true, 285: true, 286: true, 290: true, 335: true, 364: true, 373: true, 425: true, 439: true, 473: true, 499: true, 574: true, 700: true, 722: true, 745: true,
}

var (
	codeText = regexp.MustCompile(`^(?:.*?)Code:\s*(\d+)\.\s*`)
	nameText = regexp.MustCompile(`\(([A-Z][A-Z0-9_]+)\)`)
)

// parseError reads the engine's text form of an exception.
func parseError(text string) *Error {
	e := &Error{Code: codeLogical, Message: text}
	if m := codeText.FindStringSubmatch(text); m != nil {
		if n, err := strconv.ParseInt(m[1], 10, 32); err == nil && n > 0 {
			e.Code = int32(n)
			e.Message = strings.TrimPrefix(text[len(m[0]):], "DB::Exception: ")
		}
	}
	if m := nameText.FindAllStringSubmatch(text, -1); m != nil {
		e.Name = m[len(m)-1][1]
	}
	return e
}

// asError makes clickhouse-go's errors ours, keeping what they wrap.
func asError(err error) error {
	if err == nil {
		return nil
	}
	var ours *Error
	if errors.As(err, &ours) {
		return err
	}
	var theirs *clickhouse.Exception
	if errors.As(err, &theirs) {
		return &Error{Code: theirs.Code, Name: theirs.CodeName, Message: theirs.Message, cause: err}
	}
	return err
}

// IsTransient says that the same statement may succeed later: an outage, a timeout, memory pressure, too many
// parts, a broken connection. A cancelled context counts, since nothing is known about the data.
func IsTransient(err error) bool {
	if err == nil {
		return false
	}
	var e *Error
	if errors.As(err, &e) {
		return transient[e.Code]
	}
	var refused *dataError
	return !errors.As(err, &refused)
}

// IsRefused says that the warehouse refused this data, so that sending the same block again cannot help: the
// caller cuts the block down to the row at fault. Schema errors (no such table or column) are not the data's.
func IsRefused(err error) bool {
	if err == nil {
		return false
	}
	var mine *dataError
	if errors.As(err, &mine) {
		return true
	}
	var e *Error
	if !errors.As(err, &e) || transient[e.Code] {
		return false
	}
	switch e.Code {
	case 16, 47, 60, 62, 81, 115, 164, 192, 193, 194, 291, 396, 497, 516, 241:
		return false // schema, syntax, rights: the data is innocent
	}
	return true
}

// dataError marks values that could not even be encoded for their column.
type dataError struct{ err error }

func (d *dataError) Error() string { return d.err.Error() }
func (d *dataError) Unwrap() error { return d.err }

// isNetwork recognises what a cut or absent network looks like; kept for the hook, which counts outages.
func isNetwork(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, context.DeadlineExceeded)
}
