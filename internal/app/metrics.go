package app

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/stewardhq/steward/ingest"
	"github.com/stewardhq/steward/internal/broker"
	"github.com/stewardhq/steward/internal/warehouse"
)

// metrics is what /metrics shows. Label values come from closed sets, never from what a
// client sent, so their number is bounded.
type metrics struct {
	registry *prometheus.Registry

	requests   *prometheus.CounterVec
	latency    *prometheus.HistogramVec
	deliveries *prometheus.CounterVec
	accepted   *prometheus.CounterVec

	rows, spans, retries, quarantined, replayed prometheus.Counter
	age                                         prometheus.Histogram

	notices, records *prometheus.CounterVec
	waiting          *prometheus.GaugeVec
	lrsStopped       prometheus.Gauge

	statements *prometheus.CounterVec
	duration   *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry:    prometheus.NewRegistry(),
		requests:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "steward_http_requests_total", Help: "HTTP requests by part of the address space and status."}, []string{"part", "code"}),
		latency:     prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "steward_http_request_seconds", Help: "Time from a request's head to the end of its answer.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)}, []string{"part"}),
		deliveries:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "steward_ingest_deliveries_total", Help: "Webhook deliveries by outcome: accepted (in the log), refused (4xx), unavailable (5xx)."}, []string{"source", "outcome"}),
		accepted:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "steward_ingest_events_total", Help: "Events that the log acknowledged, from deliveries."}, []string{"source"}),
		rows:        prometheus.NewCounter(prometheus.CounterOpts{Name: "steward_sink_rows_total", Help: "Events stored in the warehouse."}),
		spans:       prometheus.NewCounter(prometheus.CounterOpts{Name: "steward_sink_batches_total", Help: "Spans of offsets stored."}),
		retries:     prometheus.NewCounter(prometheus.CounterOpts{Name: "steward_sink_retries_total", Help: "Inserts that had to be tried again."}),
		quarantined: prometheus.NewCounter(prometheus.CounterOpts{Name: "steward_sink_quarantined_total", Help: "Records kept in quarantine."}),
		replayed:    prometheus.NewCounter(prometheus.CounterOpts{Name: "steward_sink_replayed_total", Help: "Spans found as an intent and stored again under the same token."}),
		age:         prometheus.NewHistogram(prometheus.HistogramOpts{Name: "steward_sink_age_seconds", Help: "Age of a span's oldest record when its rows are queryable.", Buckets: prometheus.ExponentialBuckets(0.01, 2, 14)}),
		notices:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "steward_reminders_total", Help: "Reminders by channel and outcome: sent, failed (tried again), refused, not planned."}, []string{"channel", "outcome"}),
		waiting:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "steward_reminders_waiting", Help: "Reminders that are due and could not be sent yet."}, []string{"channel"}),
		records:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "steward_lrs_statements_total", Help: "Statements to the store of learning records: sent, conflict (there already in other words); and failed requests."}, []string{"outcome"}),
		lrsStopped:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "steward_lrs_stopped", Help: "1 if the store of learning records has refused and a person must look."}),
		statements:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "steward_warehouse_statements_total", Help: "ClickHouse statements by kind and error code; 0 is none, -1 an error without a code."}, []string{"kind", "code"}),
		duration:    prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "steward_warehouse_seconds", Help: "Time of a ClickHouse statement until its last row or its acknowledgement.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 16)}, []string{"kind"}),
	}
	m.registry.MustRegister(m.requests, m.latency, m.deliveries, m.accepted, m.rows, m.spans, m.retries, m.quarantined, m.replayed, m.age,
		m.statements, m.duration, m.notices, m.waiting, m.records, m.lrsStopped, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// statement is the warehouse's hook.
func (m *metrics) statement(s warehouse.Stat) {
	m.statements.WithLabelValues(s.Kind, strconv.Itoa(int(s.Code))).Inc()
	m.duration.WithLabelValues(s.Kind).Observe(s.Duration.Seconds())
}

// span is the sink's hook.
func (m *metrics) span(s ingest.SinkStat) {
	m.rows.Add(float64(s.Rows))
	m.spans.Inc()
	m.retries.Add(float64(max(s.Attempts-1, 0)))
	m.quarantined.Add(float64(s.Quarantined))
	m.age.Observe(s.Age.Seconds())
	if s.Replayed {
		m.replayed.Inc()
	}
}

// request counts one answered HTTP request.
func (m *metrics) request(part string, code int, took time.Duration) {
	m.requests.WithLabelValues(part, strconv.Itoa(code)).Inc()
	m.latency.WithLabelValues(part).Observe(took.Seconds())
}

// delivery is the intake's hook.
func (m *metrics) delivery(source string, status, events int) {
	outcome := "accepted"
	switch {
	case status >= 500:
		outcome = "unavailable"
	case status >= 400:
		outcome = "refused"
	}
	m.deliveries.WithLabelValues(source, outcome).Inc()
	m.accepted.WithLabelValues(source).Add(float64(events))
}

// watchBroker shows the size of the log whenever somebody looks.
func (m *metrics) watchBroker(b *broker.Broker) {
	if !b.Embedded() {
		return // the cluster's operators watch that
	}
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "steward_log_bytes", Help: "Bytes the embedded log takes on disk."},
			func() float64 { return float64(b.Bytes()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "steward_log_writable", Help: "1 if the embedded log takes appends."},
			func() float64 {
				if b.Writable() != nil {
					return 0
				}
				return 1
			}))
}

// watchSink shows how far the warehouse is behind the log. The broker is asked at most
// once a second, however often somebody looks.
func (m *metrics) watchSink(s *ingest.Sink) {
	var (
		mu  sync.Mutex
		at  time.Time
		lag ingest.Lag
	)
	ask := func() ingest.Lag {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(at) > time.Second {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			if l, err := s.Lag(ctx); err == nil {
				lag = l
			}
			at = time.Now()
		}
		return lag
	}
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "steward_sink_lag_records", Help: "Records appended to the log and not yet stored."},
			func() float64 { return float64(ask().Records) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "steward_sink_lag_seconds", Help: "Age of the oldest record that is not yet stored."},
			func() float64 { return ask().Oldest.Seconds() }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "steward_sink_healthy", Help: "0 if the sink needs a person."},
			func() float64 {
				if s.Health() != nil {
					return 0
				}
				return 1
			}))
}
