package dashboards

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/stewardhq/steward/internal/chromium"
)

// The review and the pages of readiness, by axe, in light, dark and on a phone.
func TestShadowPagesInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	chromium.Path(t)
	server := httptest.NewServer(boot(t, newFake(), newcomer).Handler())
	defer server.Close()
	tab, w := browse(t, strings.TrimPrefix(server.URL, "http://"))
	sweep(t, tab, w, server.URL, `document.querySelectorAll('details').forEach(d => d.open = true)`, []string{"/oncall", at("incidents", hostile[4]), "/readiness", at("readiness", hostile[4]), at("teams", hostile[0])})
}

// Taps work without script: a verdict, a word on whether it made sense, a shift to walk along.
func TestTapsWithoutScript(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	chromium.Path(t)
	shadow := &fakeShadow{}
	server := httptest.NewServer(boot(t, newFake(), newcomer, func(d *Deps) { d.Shadow = shadow }).Handler())
	defer server.Close()
	tab, w := browse(t, strings.TrimPrefix(server.URL, "http://"))
	_, err := chromedp.Call(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	must(t, err)
	tap := func(path, selector, told, there string) {
		t.Helper()
		must(t, chromedp.Do(tab, chromedp.Navigate(server.URL+path)))
		must(t, chromedp.Do(tab, chromedp.Click(selector)))
		var at string
		for range 100 {
			at, err = chromedp.Run(tab, chromedp.Evaluate[string](`location.pathname + location.search + location.hash`))
			must(t, err)
			if at == there {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if got := shadow.take(); len(got) != 1 || got[0] != told || at != there {
			t.Errorf("a tap on %s told %q and led to %s; want %q and %s", selector, got, at, told, there)
		}
	}
	tap("/oncall?window=4w", `.review button[value=threshold]`, "review |"+hostile[4]+"|threshold|-|", "/oncall?window=4w#review")
	tap("/oncall", `.review button[name=made_sense][value=no]`, "review |"+hostile[4]+"||false|", "/oncall#review")
	tap("/readiness", `#walks li button`, "off "+hostile[2]+"|"+hostile[2], "/readiness?done=off")
	for _, trouble := range w.Take() {
		t.Error(trouble)
	}
}
