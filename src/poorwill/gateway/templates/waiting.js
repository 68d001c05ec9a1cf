{# Moves the waiting page. The sentences and rules of eta.py (state, left, share) and words.py (time_text) again,
   because here they must follow the clock; tests/browser holds the two together. #}
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent), say = data.say;
  const { median, p90 } = data;
  let { elapsed, trouble } = data, at = performance.now();
  let offline = false, over = false, worried = false, refused = 0, source, ticker, watchdog;

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
  const put = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };
  const show = (state) => {
    document.documentElement.dataset.state = state;
    put("status", say[state]);
  };

  const span = (value, up) => {
    const whole = up ? Math.ceil(value) : Math.floor(value + 0.5);
    if (whole < 100) return fill(data.time.seconds, { s: whole });
    if (whole < 600 && whole % 60) return fill(data.time.both, { m: Math.floor(whole / 60), s: whole % 60 });
    const m = Math.floor((whole + (up ? 59 : 30)) / 60);
    return m < 60 ? fill(data.time.minutes, { m }) : fill(data.time.hours, { h: Math.floor(m / 60), m: m % 60 });
  };

  const share = (t) => {
    const a = Math.max(median, 0.5), b = Math.max(p90, 0.5);
    if (t <= a) return (b > a ? 0.7 : 0.9) * t / a;
    return t <= b ? 0.7 + 0.2 * (t - a) / (b - a) : 0.98 - 0.08 * b / t;
  };

  const draw = () => {
    if (over || document.hidden) return;
    const t = elapsed + (performance.now() - at) / 1000, known = median !== null && !trouble;
    show(offline ? "offline" : trouble ? "trouble" : known && t > p90 ? "late" : "lead");
    put("elapsed", fill(say.elapsed, { time: span(t) }));
    put("left", !known ? "" : t > p90 ? say.overdue : t >= median ? say.moment
      : fill(say.left, { time: span(median - t, true) }));
    if (known) $("bar").value = share(t); else $("bar").removeAttribute("value");
  };

  {# A page that is itself the fruit of a reload waits a little, lest a wrong "ready" make it spin. #}
  const reload = (state) => {
    if (over) return;
    end(state);
    const again = performance.getEntriesByType("navigation")[0]?.type === "reload";
    setTimeout(() => location.reload(), again ? Math.max(0, 1500 - performance.now()) : 0);
  };

  const end = (state) => {
    over = true;
    drop();
    clearInterval(ticker);
    clearTimeout(watchdog);
    show(state);
  };

  const drop = () => { source?.close(); source = undefined; };

  const hear = (event) => {
    const news = JSON.parse(event.data);
    elapsed = news.elapsed;
    trouble = news.trouble;
    at = performance.now();
    offline = false;
    refused = 0;
    worried = false;
    if (news.ready) return reload("ready");
    watch(30);
    draw();
  };

  const gone = () => {
    end("gone");
    $("wait").hidden = true;
    $("again").hidden = false;
  };

  {# Once until the next news: a stream that fails again and again must not put the question off for ever. #}
  const worry = () => {
    worried = true;
    watch(data.retry);
  };

  const connect = () => {
    source = new EventSource(data.events);
    source.onmessage = hear;
    source.addEventListener("progress", hear);
    source.addEventListener("gone", gone);
    source.addEventListener("changed", () => reload("lead"));
    source.onerror = () => {
      if (document.hidden) drop(); else if (!worried) worry();
    };
    worry();
  };

  {# Silence: is anybody there? A reload without an answer would lose this page to the browser's own. #}
  const check = () => {
    const abort = new AbortController(), late = setTimeout(() => abort.abort(), 5000);
    fetch(data.events, { signal: abort.signal, cache: "no-store" })
      .then((answer) => answer.status < 500 || ++refused > 3, (error) => error.name === "AbortError")
      .then((there) => {
        clearTimeout(late);
        abort.abort();
        if (over || document.hidden) return;
        if (there) return reload("ready");
        offline = true;
        draw();
        if (!source || source.readyState === EventSource.CLOSED) { drop(); connect(); } else watch(data.retry);
      });
  };

  const watch = (after) => {
    clearTimeout(watchdog);
    if (!over && !document.hidden) watchdog = setTimeout(check, after * 1000);
  };

  {# A hidden tab stays quiet: no clock, no questions. Its open stream may still open the page; a tab that
     comes back asks anew, because its stream may have died unnoticed meanwhile. #}
  const look = () => {
    clearInterval(ticker);
    clearTimeout(watchdog);
    if (over || document.hidden) return;
    ticker = setInterval(draw, 1000);
    draw();
    drop();
    connect();
  };

  $("again").onclick = () => location.reload();
  document.addEventListener("visibilitychange", look);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  if (document.hidden) connect(); else look();
})();
