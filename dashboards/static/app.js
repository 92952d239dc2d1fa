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
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start); else start();
})();
