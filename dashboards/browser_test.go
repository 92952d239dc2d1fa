package dashboards

import (
	"context"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/stewardhq/steward/internal/chromium"
)

// browse opens a tab and has a witness look at it.
func browse(t *testing.T, host string) (context.Context, *chromium.Witness) {
	t.Helper()
	tab := chromium.Tab(t, 4*time.Minute)
	return tab, chromium.Watch(t, tab, host)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// look is what a page says about itself, read in the browser.
type look struct {
	Charts, Painted, Wide int
	Title, Alerted        string
	Scheme                string
	Names                 int // texts that hold the hostile tag as text
}

const lookScript = `(() => {
	const painted = [...document.querySelectorAll('.chart')].filter(el => [...el.querySelectorAll('canvas')].some(c => {
		if (!c.width || !c.height) return false;
		const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
		for (let i = 3; i < d.length; i += 4) if (d[i]) return true;
		return false;
	})).length;
	return {Charts: document.querySelectorAll('.chart').length, Painted: painted,
		Wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
		Title: document.title, Alerted: String(window.alerted || ''),
		Scheme: getComputedStyle(document.documentElement).getPropertyValue('--sleep').trim(),
		Names: document.body.innerText.split('</script><script>').length - 1};
})()`

// Every page, light, dark and on a phone: nothing is said on the console, nothing is
// asked of another host, every chart is painted, no page is wider than the phone, and
// names that try to be code are text.
func TestPagesInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	chromium.Path(t)
	s := boot(t, newFake(), rolling)
	if _, ok := s.assets["echarts.min.js"]; !ok {
		if os.Getenv("STEWARD_CI") == "1" {
			t.Fatal("the chart library is missing: npm ci")
		}
		t.Skip("the chart library is missing: npm ci")
	}
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	tab, w := browse(t, strings.TrimPrefix(server.URL, "http://"))
	axe := chromium.AxeScript(t)
	id := url.PathEscape(hostile[0])
	charts := map[string]int{"/people/" + id: 1, "/": 1, "/teams/" + id: 2, "/oncall": 2, "/ownership": 1, "/services/" + id: 1}
	pages := []string{"/", "/teams", "/teams/" + id, "/oncall", "/ownership", "/services", "/services/" + id, "/incidents", "/incidents/" + id, "/definitions", "/people/" + id, "/me", "/drills", "/drills/evil", "/drills/evil/going", "/drills/evil/over", "/audit", "/tokens", "/training", "/recommendations", "/recommendations?team=" + id, "/training/PG1", "/training/LS1", "/training/reminders", "/skills", "/skills?skill=queue-stream-ops", "/quarantine", "/quarantine/0a1b2c", "/nowhere", "/?tz=Nowhere%2FCity&window=13x"}
	for _, x := range rolloutPages {
		pages, charts[x.path] = append(pages, x.path), x.charts
	}
	for _, view := range []struct {
		name, scheme string
		width        int64
		sleep        string
	}{{"light", "light", 1280, "#4a3f9f"}, {"dark", "dark", 1280, "#9c90f5"}, {"narrow", "light", 390, "#4a3f9f"}} {
		must(t, chromedp.Do(tab, chromedp.EmulateViewport(view.width, 900)))
		_, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.scheme}}})
		must(t, err)
		for _, path := range pages {
			t.Run(view.name+" "+path, func(t *testing.T) {
				must(t, chromedp.Do(tab, chromedp.Navigate(server.URL+path)))
				var l look
				for range 60 { // charts start after the page has loaded
					var err error
					l, err = chromedp.Run(tab, chromedp.Evaluate[look](lookScript))
					must(t, err)
					if l.Painted == l.Charts {
						break
					}
					time.Sleep(50 * time.Millisecond)
				}
				if l.Charts != charts[path] || l.Painted != l.Charts {
					t.Errorf("%d charts of which %d are painted, want %d", l.Charts, l.Painted, charts[path])
				}
				if l.Wide > 0 {
					t.Errorf("%d pixels wider than the window", l.Wide)
				}
				if l.Scheme != view.sleep {
					t.Errorf("sleep is %q in %s", l.Scheme, view.scheme)
				}
				if strings.HasPrefix(path, "/teams/") && l.Names == 0 {
					t.Error("a hostile name is not shown as text")
				}
				for _, trouble := range w.Take() {
					t.Error(trouble)
				}
				if axe != "" && (view.name != "narrow" || path == "/incidents") { // there lists become blocks
					chromium.Axe(t, tab, axe)
				}
				shoot(t, tab, view.name, path)
			})
		}
	}
	if w.Requests() < len(pages) {
		t.Errorf("only %d requests were seen; this test would prove nothing", w.Requests())
	}
}

// A change of the reader's colour scheme repaints charts that are already there.
func TestChartsFollowTheScheme(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	chromium.Path(t)
	s := boot(t, newFake())
	if _, ok := s.assets["echarts.min.js"]; !ok {
		t.Skip("the chart library is missing: npm ci")
	}
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	tab, w := browse(t, strings.TrimPrefix(server.URL, "http://"))
	// pixels are a chart's when it has come to rest and is not what it was under the other scheme.
	pixels := func(scheme, other string) (out string) {
		_, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		must(t, err)
		for range 60 {
			time.Sleep(150 * time.Millisecond)
			was := out
			out, err = chromedp.Run(tab, chromedp.Evaluate[string](`document.querySelector('.chart canvas')?.toDataURL() ?? ''`))
			must(t, err)
			if out != "" && out == was && out != other {
				break
			}
		}
		return out
	}
	must(t, chromedp.Do(tab, chromedp.Navigate(server.URL+"/")))
	light := pixels("light", "")
	dark := pixels("dark", light)
	again := pixels("light", dark)
	if light == "" || light == dark {
		t.Error("the chart did not change with the scheme")
	}
	if light != again {
		t.Error("the chart did not change back")
	}
	for _, trouble := range w.Take() {
		t.Error(trouble)
	}
}

// What is sent on is the address: it holds the filters that were chosen and no empty ones.
// On a phone the menu folds, opens, and closes by the keyboard.
func TestFormAndMenuByHand(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	chromium.Path(t)
	server := httptest.NewServer(boot(t, newFake()).Handler())
	defer server.Close()
	tab, w := browse(t, strings.TrimPrefix(server.URL, "http://"))
	eval := func(script string) string {
		t.Helper()
		out, err := chromedp.Run(tab, chromedp.Evaluate[string](script))
		must(t, err)
		return out
	}
	must(t, chromedp.Do(tab, chromedp.Navigate(server.URL+"/ownership")))
	eval(`document.querySelector('select[name=lens]').value = 'owner_now'; document.querySelector('.filters form').requestSubmit(); ''`)
	var search string
	for range 60 {
		if search = eval(`location.search`); search != "" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if search != "?lens=owner_now" {
		t.Errorf("the address became %q", search)
	}
	must(t, chromedp.Do(tab, chromedp.EmulateViewport(390, 844)))
	must(t, chromedp.Do(tab, chromedp.Navigate(server.URL+"/incidents")))
	if got := eval(`getComputedStyle(document.querySelector('nav.wide')).display + ' ' + getComputedStyle(document.querySelector('.list td')).display`); got != "none block" {
		t.Errorf("wide menu and cells are %q on a phone", got)
	}
	if got := eval(`(() => { const m = document.querySelector('.menu'); m.open = true; const seen = m.querySelector('a').offsetParent !== null;
		document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'})); return seen + ' ' + m.open; })()`); got != "true false" {
		t.Errorf("the menu opened and stayed open: %s", got)
	}
	for _, trouble := range w.Take() {
		t.Error(trouble)
	}
}

// sweep looks at pages without charts in light, dark and on a phone, after a script has made
// them ready: none is wider than the phone, axe-core finds nothing serious, nothing is said on
// the console and nothing asked of another host.
func sweep(t *testing.T, tab context.Context, w *chromium.Witness, server, ready string, paths []string) {
	t.Helper()
	axe := chromium.AxeScript(t)
	for _, view := range []struct {
		name, scheme string
		width        int64
	}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"narrow", "light", 390}} {
		must(t, chromedp.Do(tab, chromedp.EmulateViewport(view.width, 900)))
		_, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.scheme}}})
		must(t, err)
		for _, path := range paths {
			t.Run(view.name+" "+path, func(t *testing.T) {
				must(t, chromedp.Do(tab, chromedp.Navigate(server+path)))
				if ready != "" {
					_, err := chromedp.Run(tab, chromedp.Evaluate[bool](ready+"; true"))
					must(t, err)
				}
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

// shoot keeps a picture of the page where STEWARD_SCREENSHOTS names a directory.
func shoot(t *testing.T, tab context.Context, view, path string) {
	dir := os.Getenv("STEWARD_SCREENSHOTS")
	if dir == "" {
		return
	}
	t.Helper()
	b, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	must(t, err)
	name := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, path), "-")
	must(t, os.WriteFile(filepath.Join(dir, view+"-"+or(name, "overview")+".png"), b, 0o644))
}
