// Starts the charts: each .chart names the data block that holds its options. Colours in
// the options are names of the stylesheet's variables, "--sleep" or "--sleep 40" for 40 %
// over the card, so charts follow light, dark and print. Nothing in the data is code:
// tooltips are rich text, formatters are string templates.
(function () {
  'use strict';
  var charts = [];
  var colours = /^--[a-z]+( \d+)?$/;
  var keys = { color: 1, borderColor: 1, backgroundColor: 1, areaColor: 1 };

  function rgb(css) {
    var c = document.createElement('canvas').getContext('2d');
    c.fillStyle = css;
    var h = c.fillStyle;
    return [1, 3, 5].map(function (i) { return parseInt(h.slice(i, i + 2), 16); });
  }

  function palette() {
    var style = getComputedStyle(document.documentElement);
    return function (name) {
      var parts = name.split(' ');
      var front = style.getPropertyValue(parts[0]).trim();
      if (!parts[1]) return front;
      var f = rgb(front), b = rgb(style.getPropertyValue('--card').trim()), share = 0.18 + 0.82 * parts[1] / 100;
      return 'rgb(' + f.map(function (v, i) { return Math.round(v * share + b[i] * (1 - share)); }).join(',') + ')';
    };
  }

  // paint copies options with colours looked up; only under the keys that hold colours, so
  // that a name which looks like one stays a name.
  function paint(v, key, look) {
    if (Array.isArray(v)) return v.map(function (x) { return paint(x, key, look); });
    if (v && typeof v === 'object') {
      var o = {};
      Object.keys(v).forEach(function (k) { o[k] = paint(v[k], k, look); });
      return o;
    }
    return typeof v === 'string' && keys[key] && colours.test(v) ? look(v) : v;
  }

  function draw(c) {
    var look = palette();
    var o = paint(c.options, '', look);
    o.backgroundColor = 'transparent';
    o.textStyle = { color: look('--mute'), fontFamily: getComputedStyle(document.body).fontFamily };
    o.aria = { enabled: false, decal: { show: matchMedia('(prefers-contrast: more)').matches } };
    o.tooltip = Object.assign({}, o.tooltip, {
      renderMode: 'richText', confine: true, backgroundColor: look('--card'), borderColor: look('--line'),
      textStyle: { color: look('--ink'), fontSize: 13 }
    });
    delete o.toolbox;
    c.chart.setOption(o, true);
  }

  function start() {
    if (typeof echarts === 'undefined') {
      document.querySelectorAll('.chart').forEach(function (el) { el.hidden = true; });
      document.querySelectorAll('details.fold').forEach(function (el) { el.open = true; });
      return;
    }
    document.querySelectorAll('.chart').forEach(function (el) {
      var c = { chart: echarts.init(el, null, { renderer: 'canvas' }), options: JSON.parse(document.getElementById(el.dataset.options).textContent) };
      charts.push(c);
      draw(c);
      new ResizeObserver(function () { c.chart.resize(); }).observe(el);
    });
  }

  function redraw() { charts.forEach(draw); }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  matchMedia('(prefers-contrast: more)').addEventListener('change', redraw);
  addEventListener('beforeprint', function () { document.documentElement.classList.add('paper'); redraw(); });
  addEventListener('afterprint', function () { document.documentElement.classList.remove('paper'); redraw(); });
  // A footer link to a table or definition opens one at a time.
  document.addEventListener('toggle', function (e) {
    if (!e.target.open || !e.target.closest('.card > footer')) return;
    e.target.parentElement.querySelectorAll(':scope > details[open]').forEach(function (d) { if (d !== e.target) d.open = false; });
  }, true);
  // Filters left as they are stay out of the address, which is what people send on.
  document.addEventListener('formdata', function (e) {
    Array.from(e.formData.keys()).forEach(function (k) { if (e.formData.get(k) === '') e.formData.delete(k); });
  });
  document.addEventListener('keydown', function (e) {
    if (e.key !== 'Escape') return;
    document.querySelectorAll('.menu[open]').forEach(function (d) { d.open = false; d.querySelector('summary').focus(); });
  });
  // A drill in play: the clock runs here between the answers of the server, which knows it.
  // What is new is put at the end of its list, so that nothing moves that somebody reads.
  function drill(play) {
    var at = +play.dataset.offset, speed = +play.dataset.speed, paused = play.dataset.paused === 'true', next = +play.dataset.next;
    var since = performance.now(), asked = since, busy = false;
    var time = document.getElementById('time'), far = document.getElementById('far'), news = document.getElementById('news');
    function two(n) { return (n < 10 ? '0' : '') + n; }
    function now() { return Math.floor(at + (paused ? 0 : (performance.now() - since) / 1000 * speed)); }
    function words(s) {
      var m = Math.floor(s / 60);
      return s >= 3600 ? Math.floor(m / 60) + ':' + two(m % 60) + ':' + two(s % 60) : m + ':' + two(s % 60);
    }
    function merge(text) {
      var page = new DOMParser().parseFromString(text, 'text/html'), fresh = page.getElementById('play'), said = [];
      if (!fresh) { location.reload(); return; }
      ['evidence', 'questions'].forEach(function (list) {
        var to = document.getElementById(list);
        Array.from(page.getElementById(list).children).forEach(function (li) {
          if (document.getElementById(li.id)) return;
          to.appendChild(document.importNode(li, true));
          said.push((li.querySelector('legend') || li.querySelector('p')).textContent);
        });
      });
      document.getElementById('noquestions').hidden = document.getElementById('questions').children.length > 0;
      var wait = document.getElementById('wait'), later = page.getElementById('wait');
      if (wait && later) wait.querySelector('.at').textContent = later.querySelector('.at').textContent;
      next = +fresh.dataset.next;
      var answer = document.querySelector('.answer'), newer = page.querySelector('.answer');
      if (answer && newer) answer.textContent = newer.textContent;
      if (said.length) news.textContent = said.join('. ');
    }
    function ask() {
      if (busy) return;
      busy = true;
      asked = performance.now();
      fetch(play.dataset.table, { headers: { Accept: 'application/json' } }).then(function (r) {
        if (!r.ok) throw new Error(r.status);
        return r.json();
      }).then(function (got) {
        if (got.finished) { location.reload(); return; }
        at = got.table.offset_s; since = performance.now(); speed = got.speed;
        if (got.paused !== paused) { location.reload(); return; }
        var n = got.table.cards.length + got.table.questions.length;
        if (n === document.querySelectorAll('#evidence > li, #questions > li').length) return;
        return fetch(location.pathname).then(function (r) { return r.text(); }).then(merge);
      }).catch(function () { /* the next time will do; every form works without */ }).then(function () { busy = false; });
    }
    setInterval(function () {
      time.textContent = words(Math.max(0, now()));
      if (far) far.value = now();
      var idle = performance.now() - asked;
      if (!paused && (idle > 15000 || next >= 0 && now() >= next && idle > 1000)) ask();
    }, 250);
  }
  function play() { var p = document.getElementById('play'); if (p) drill(p); }

  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', function () { start(); play(); }); else { start(); play(); }
})();
