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
	axe := chromium.AxeScript(t)
	for _, view := range []struct {
		name, scheme string
		width        int64
	}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"narrow", "light", 390}} {
		must(t, chromedp.Do(tab, chromedp.EmulateViewport(view.width, 900)))
		_, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.scheme}}})
		must(t, err)
		for _, path := range []string{"/oncall", at("incidents", hostile[4]), "/readiness", at("readiness", hostile[4]), at("teams", hostile[0])} {
			t.Run(view.name+" "+path, func(t *testing.T) {
				must(t, chromedp.Do(tab, chromedp.Navigate(server.URL+path)))
				_, err := chromedp.Run(tab, chromedp.Evaluate[bool](`document.querySelectorAll('details').forEach(d => d.open = true); true`))
				must(t, err)
				l, err := chromedp.Run(tab, chromedp.Evaluate[look](lookScript))
				must(t, err)
				if l.Wide > 0 {
					t.Errorf("%d pixels wider than the window", l.Wide)
				}
				if axe != "" {
					chromium.Axe(t, tab, axe)
				}
				for _, trouble := range w.Take() {
					t.Error(trouble)
				}
				shoot(t, tab, view.name, path)
			})
		}
	}
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
