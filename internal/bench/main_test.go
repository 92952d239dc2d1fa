package main

import (
	"io"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	const out = `goos: linux
BenchmarkSinkRatio/8-partitions-2   	       1	1843 ns/op	        0.6240 ratio	    123456 sink-rows/s
BenchmarkWebhookAck-2               	       1	9 ns/op	     9000.5 acks/s
BenchmarkPlain                      	     100	12 ns/op	  3 B/op	 1 allocs/op
--- FAIL: BenchmarkBroken
PASS
`
	rows, failed := read(strings.NewReader(out), io.Discard)
	want := []row{
		{"SinkRatio/8-partitions", "ratio", "0.624", "≥ 0.5", "yes"},
		{"SinkRatio/8-partitions", "sink-rows/s", "123456", "", ""},
		{"WebhookAck", "acks/s", "9000", "≥ 10000", "no"},
	}
	if len(rows) != len(want) || len(failed) != 1 {
		t.Fatalf("%+v, %q", rows, failed)
	}
	for i := range want {
		if rows[i] != want[i] {
			t.Errorf("%+v, want %+v", rows[i], want[i])
		}
	}
}
