package warehouse

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Param is a value bound to {Name:Type} of a statement. Value: string, bool, integers, floats, time.Time
// (milliseconds, UTC), []string, nil for NULL.
type Param struct {
	Name  string
	Value any
}

// timeLayout is DateTime64(3) text in UTC; a parameter's type should name the zone: DateTime64(3,'UTC').
const timeLayout = "2006-01-02 15:04:05.000"

var (
	tsvEscaper   = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)
	quoteEscaper = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)
)

// rawParam is a value in ClickHouse's own text form already, as an answer gave it.
type rawParam string

// paramText is the TSV text of a value, as ClickHouse reads parameters on every protocol.
func paramText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return `\N`, nil
	case string:
		return tsvEscaper.Replace(v), nil
	case rawParam:
		return string(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	case time.Time:
		return v.UTC().Format(timeLayout), nil
	case []string:
		items := make([]string, len(v))
		for i, s := range v {
			items[i] = "'" + quoteEscaper.Replace(s) + "'"
		}
		return "[" + strings.Join(items, ",") + "]", nil
	}
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.String:
		return tsvEscaper.Replace(rv.String()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(rv.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(rv.Uint(), 10), nil
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(rv.Float(), 'g', -1, 64), nil
	}
	return "", fmt.Errorf("a %T cannot be bound to a statement", v)
}

// bindParams makes clickhouse-go's parameters; they travel as param_x beside the text, never inside it.
func bindParams(params []Param) (clickhouse.Parameters, error) {
	if len(params) == 0 {
		return nil, nil
	}
	out := make(clickhouse.Parameters, len(params))
	for _, p := range params {
		text, err := paramText(p.Value)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", p.Name, err)
		}
		out[p.Name] = text
	}
	return out, nil
}
