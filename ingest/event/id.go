package event

import (
	"crypto/sha1"
	"encoding/hex"
	"strconv"
	"time"
)

// namespace is the UUID under which Steward's name-based ids are made. Changing it
// would give every already stored fact a second identity, so it never changes.
var namespace = [16]byte{0x5e, 0x3a, 0x8d, 0x51, 0x0b, 0x7c, 0x5f, 0x0e, 0x9b, 0x64, 0x2d, 0x71, 0xc6, 0x18, 0xa4, 0xf3}

// NewID is the UUIDv5 (RFC 9562 §5.5) over (source, kind, key, at in milliseconds).
// Each part is preceded by its length, so no two different tuples share a name.
func NewID(source string, kind Kind, key string, at time.Time) string {
	h := sha1.New()
	h.Write(namespace[:])
	for _, part := range [...]string{source, string(kind), key, strconv.FormatInt(at.UnixMilli(), 10)} {
		h.Write([]byte(strconv.Itoa(len(part))))
		h.Write([]byte{':'})
		h.Write([]byte(part))
	}
	var u [16]byte
	copy(u[:], h.Sum(nil))
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	var out [36]byte
	hex.Encode(out[0:8], u[0:4])
	hex.Encode(out[9:13], u[4:6])
	hex.Encode(out[14:18], u[6:8])
	hex.Encode(out[19:23], u[8:10])
	hex.Encode(out[24:], u[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}
