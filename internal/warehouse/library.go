package warehouse

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// ErrNoLibrary is found with errors.Is when the embedded engine's shared library is not on this machine.
var ErrNoLibrary = errors.New("the embedded ClickHouse engine (libchdb) is not on this machine: run `make engine` once, or point LIBCHDB at the library, or give --clickhouse a server")

// library is the C interface of libchdb, as function values that purego fills. What is only passed back is a
// uintptr; what is read through is an unsafe.Pointer into memory that Go's collector does not manage.
type library struct {
	path string

	setSignalHandlers func(enabled int32)
	connect           func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn         func(conn unsafe.Pointer)
	queryParams       func(conn uintptr, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) uintptr
	streamQueryParams func(conn uintptr, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) uintptr
	streamFetch       func(conn, stream uintptr) uintptr
	streamCancel      func(conn, stream uintptr)
	destroyResult     func(result uintptr)
	resultBuffer      func(result uintptr) unsafe.Pointer
	resultLength      func(result uintptr) uintptr
	resultError       func(result uintptr) unsafe.Pointer
	resultRowsRead    func(result uintptr) uint64
	resultBytesRead   func(result uintptr) uint64

	insertOpen    func(conn uintptr, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr) uintptr
	insertError   func(stream uintptr) unsafe.Pointer
	insertAppend  func(stream uintptr, data unsafe.Pointer, n uintptr) int32
	insertDone    func(stream uintptr) uintptr
	insertCancel  func(stream uintptr)
	insertDestroy func(stream uintptr)
}

// process is the part of the engine that exists once per process whether we like it or not: dlopen'd code
// cannot be unloaded, and the engine serves one data directory at a time. The mutex also keeps connects
// apart, since each of them rewrites the process's signal table for a moment.
var process struct {
	sync.Mutex
	lib  *library
	path string // data directory that is open now; "" = none
}

// libraryName is the file name the npm packages and the releases use, also on macOS.
const libraryName = "libchdb.so"

// FindLibrary gives the path of libchdb: the given one, LIBCHDB, or where a build, an installation or a checkout puts
// it. The error is ErrNoLibrary.
func FindLibrary(given string) (string, error) {
	if given == "" {
		given = os.Getenv("LIBCHDB")
	}
	if given != "" {
		if info, err := os.Stat(given); err == nil && !info.IsDir() {
			return given, nil
		}
		return "", fmt.Errorf("no library at %s: %w", given, ErrNoLibrary)
	}
	var places []string
	if exe, err := os.Executable(); err == nil {
		dir := filepath.Dir(exe)
		places = append(places, filepath.Join(dir, libraryName), filepath.Join(dir, "..", "lib", libraryName))
		places = append(places, inModules(dir)...)
	}
	if wd, err := os.Getwd(); err == nil {
		places = append(places, inModules(wd)...)
	}
	places = append(places, filepath.Join("/usr/local/lib", libraryName), filepath.Join("/usr/lib", libraryName))
	for _, p := range places {
		if info, err := os.Stat(p); err == nil && !info.IsDir() {
			return p, nil
		}
	}
	return "", ErrNoLibrary
}

// inModules names node_modules/@chdb/lib-* of dir and of every directory above it.
func inModules(dir string) []string {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	pattern := "lib-" + runtime.GOOS + "-" + arch + "*"
	var found []string
	for {
		hits, err := filepath.Glob(filepath.Join(dir, "node_modules", "@chdb", pattern, libraryName))
		if err == nil {
			found = append(found, hits...)
		}
		up := filepath.Dir(dir)
		if up == dir {
			return found
		}
		dir = up
	}
}

// loadLibrary opens the engine once; later calls return the same one. Call it with process locked.
func loadLibrary(given string) (lib *library, err error) {
	if process.lib != nil {
		return process.lib, nil
	}
	path, err := FindLibrary(given)
	if err != nil {
		return nil, err
	}
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("load the embedded engine from %s: %w", path, err)
	}
	lib = &library{path: path}
	for _, f := range []struct {
		fn   any
		name string
	}{
		{&lib.setSignalHandlers, "chdb_set_signal_handlers_enabled"},
		{&lib.connect, "chdb_connect"},
		{&lib.closeConn, "chdb_close_conn"},
		{&lib.queryParams, "chdb_query_with_params_n"},
		{&lib.streamQueryParams, "chdb_stream_query_with_params_n"},
		{&lib.streamFetch, "chdb_stream_fetch_result"},
		{&lib.streamCancel, "chdb_stream_cancel_query"},
		{&lib.destroyResult, "chdb_destroy_query_result"},
		{&lib.resultBuffer, "chdb_result_buffer"},
		{&lib.resultLength, "chdb_result_length"},
		{&lib.resultError, "chdb_result_error"},
		{&lib.resultRowsRead, "chdb_result_storage_rows_read"},
		{&lib.resultBytesRead, "chdb_result_storage_bytes_read"},
		{&lib.insertOpen, "chdb_stream_insert_n"},
		{&lib.insertError, "chdb_stream_insert_error"},
		{&lib.insertAppend, "chdb_stream_append"},
		{&lib.insertDone, "chdb_stream_done"},
		{&lib.insertCancel, "chdb_stream_cancel_insert"},
		{&lib.insertDestroy, "chdb_destroy_insert_stream"},
	} {
		sym, err := purego.Dlsym(handle, f.name)
		if err != nil {
			return nil, fmt.Errorf("%s is not a libchdb this program knows (26.7.3 is expected; `make engine` fetches it): %w", path, err)
		}
		purego.RegisterFunc(f.fn, sym)
	}
	lib.setSignalHandlers(0)
	process.lib = lib
	return lib, nil
}

// cString copies a NUL-terminated C string.
func cString(p unsafe.Pointer) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(p, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p), n))
}
