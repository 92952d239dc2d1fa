package warehouse

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

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

// transient are the codes that say "not now" rather than "not this": load, memory, disks, keepers, networks,
// tables that are being exchanged, a body that did not arrive whole.
var transient = set(codeTimeout, codeTooManyQueries, codeSocketTimeout, codeNetwork, codeMemory, codeTooManyParts, codeCancelled,
	codeTableReadonly, codeNotEnoughSpace, codeKeeper, codeUnknownStatus, codeAborted, codeCannotWriteFile,
	3, 23, 24, 33, 74, 76, 88, 95, 96, 101, 173, 198, 203, 218, 225, 244, 279, 285, 286, 290, 335, 364, 373, 425, 439, 473, 499, 529,
	574, 700, 722, 745, 1000, 1001, 1002)

// innocent are the codes of schema, syntax, rights and of the server's own faults: no row is to blame and
// repeating does not help until somebody has acted.
var innocent = set(1, 8, 10, 16, 20, 42, 43, 46, 47, 48, codeLogical, 57, 59, 60, 62, 63, 65, 79, 80, 81, 82, 107, 115, codeReadonly, 184,
	192, 193, 194, 195, 219, 226, 228, 233, 234, 246, 255, 291, 303, 307, 344, 392, 396, 446, 481, 497, 516, 598, 606, 630, 660)

func set(codes ...int32) map[int32]bool {
	m := make(map[int32]bool, len(codes))
	for _, c := range codes {
		m[c] = true
	}
	return m
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
	var request *url.Error // its text is the whole address, with every bound value in it
	if errors.As(err, &request) {
		return fmt.Errorf("the request did not succeed: %w", request.Err)
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

// IsRefused says that the warehouse refused this data (it does not parse, does not convert, violates a
// constraint, a view's SELECT fails on it), so that sending the same block again cannot help: the caller cuts the
// block down to the row at fault. An error that is neither refused nor transient (no such table, no rights) is
// nobody's row; keep the data, repeat slowly and say so.
func IsRefused(err error) bool {
	var mine *dataError
	if errors.As(err, &mine) {
		return true
	}
	var e *Error
	return errors.As(err, &e) && !transient[e.Code] && !innocent[e.Code]
}

// dataError marks values that could not even be encoded for their column.
type dataError struct{ err error }

func (d *dataError) Error() string { return d.err.Error() }
func (d *dataError) Unwrap() error { return d.err }
