package warehouse

import (
	"unsafe"

	"github.com/ebitengine/purego"
)

// signalTable is the process's signal dispositions, kept around every connect: see signals_linux.go.
// On macOS sigaction is only reachable through libSystem.
type signalTable [32][16]byte // struct sigaction: handler, 32-bit mask, flags

func sigaction() func(sig int32, act, old unsafe.Pointer) int32 {
	handle, err := purego.Dlopen("/usr/lib/libSystem.B.dylib", purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil
	}
	sym, err := purego.Dlsym(handle, "sigaction")
	if err != nil {
		return nil
	}
	var fn func(sig int32, act, old unsafe.Pointer) int32
	purego.RegisterFunc(&fn, sym)
	return fn
}

func saveSignals() *signalTable {
	t := new(signalTable)
	if call := sigaction(); call != nil {
		for sig := 1; sig < len(t); sig++ {
			call(int32(sig), nil, unsafe.Pointer(&t[sig]))
		}
	}
	return t
}

func (t *signalTable) restore() {
	const kill, stop = 9, 17
	if call := sigaction(); call != nil {
		for sig := 1; sig < len(t); sig++ {
			if sig != kill && sig != stop {
				call(int32(sig), unsafe.Pointer(&t[sig]), nil)
			}
		}
	}
}
