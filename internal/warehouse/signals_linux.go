package warehouse

import (
	"syscall"
	"unsafe"
)

// signalTable is the process's signal dispositions. The engine resets crash handlers to their defaults in
// every connect, even when told not to install its own: Go's handlers would be gone and a nil pointer would
// end the process without a word. The kernel's structs are kept as they come, so nothing is lost in translation.
// Real-time signals that nobody caught before are left to the engine: it reads its threads' stacks with one of
// them, whose default would end the process.
type signalTable [65][32]byte // struct kernel_sigaction: handler, flags, restorer, 64-bit mask

func saveSignals() *signalTable {
	t := new(signalTable)
	for sig := 1; sig < len(t); sig++ {
		syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&t[sig])), 8, 0, 0)
	}
	return t
}

func (t *signalTable) restore() {
	for sig := 1; sig < len(t); sig++ {
		if sig == int(syscall.SIGKILL) || sig == int(syscall.SIGSTOP) {
			continue
		}
		if t[sig] == [32]byte{} && sig > 31 {
			continue
		}
		syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&t[sig])), 0, 8, 0, 0)
	}
}
