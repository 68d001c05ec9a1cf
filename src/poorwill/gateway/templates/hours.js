{# The pages of a service whose door does not open by coming alone. The rules of hours.py (rows, opening) again,
   because only the browser knows the visitor's time zone; tests/browser holds the two together. #}
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent), say = data.say, form = $("wake");
  const zone = data.zone.replaceAll("_", " "), day = 86400;

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
  const put = (parent, tag, text, kind) => {
    const made = parent.appendChild(document.createElement(tag));
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };

  {# Year, month, day, weekday and time of a moment, here or there. #}
  const parts = (format, at) => {
    const found = {};
    for (const { type, value } of format.formatToParts(at * 1000)) found[type] = value;
    const time = `${found.hour}:${found.minute}`, date = `${found.year}-${found.month}-${found.day}`;
    const weekday = say.weekdays[(new Date(`${date}T12:00Z`).getUTCDay() + 6) % 7];
    const name = fill(say.day, { weekday, day: +found.day, month: say.months[found.month - 1] });
    return { time, date, weekday, name };
  };
  const formatter = (timeZone) => new Intl.DateTimeFormat("en-GB", { timeZone, year: "numeric",
    month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

  const local = (here, there) => {
    const H = (at) => parts(here, at), T = (at) => parts(there, at);
    const now = Date.now() / 1000, today = new Date(now * 1000);
    const midnight = (ahead) => new Date(today.getFullYear(), today.getMonth(), today.getDate() + ahead) / 1000;
    const range = (start, stop, end) => fill(say.range, { start: H(start).time,
      stop: stop === end ? "24:00" : H(stop).time });

    {# One opening on one day: its text here, and the same moments there. #}
    const span = (start, stop, ahead) => {
      const begin = midnight(ahead), end = midnight(ahead + 1), begins = begin <= start && start < end;
      const beyond = (at, text) => T(at).date === H(at).date ? text : `${T(at).weekday} ${text}`;
      {# About a whole day needs both weekdays: 11:00–11:00 says nothing. #}
      const theirs = (from, to) => beyond(from, fill(say.range, { start: T(from).time,
        stop: to - from > 0.9 * day ? `${T(to).weekday} ${T(to).time}` : T(to).time }));
      if (stop === null) {
        if (begins) return [fill(say.from, { start: H(start).time }), beyond(start, fill(say.from, { start: T(start).time }))];
        return ahead === 0 && start < begin ? [say.open, ""] : null;
      }
      if (stop - start < day && !begins && ahead > 0) return null;
      const whole = stop - start < day && begins;
      const first = whole ? start : Math.max(start, begin), last = whole ? stop : Math.min(stop, end);
      return first < last ? [range(first, last, end), theirs(first, last)] : null;
    };

    const table = $("hours");
    if (table) {
      table.textContent = "";
      for (let ahead = 0; ahead < 7; ahead++) {
        const row = put(table, "div", ""), label = [say.today, say.tomorrow][ahead];
        put(row, "dt", label || H(midnight(ahead) + day / 2).name);
        const cell = put(row, "dd", ""), spans = data.openings.map(([a, b]) => span(a, b, ahead)).filter(Boolean);
        for (const [mine, theirs] of spans) { put(cell, "span", mine); put(cell, "span", theirs, "there"); }
        if (!spans.length) put(cell, "span", say.closed, "small");
      }
      const yours = here.resolvedOptions().timeZone.replaceAll("_", " ");
      $("zone").textContent = fill(say.zones, { yours, zone });
    }
    if (data.next !== null) {
      const mine = H(data.next), theirs = T(data.next), apart = mine.date !== theirs.date;
      const there = apart ? `${theirs.weekday} ${theirs.time}` : theirs.time;
      const key = { [H(now).date]: "opens_today", [H(midnight(1) + day / 2).date]: "opens_tomorrow" }[mine.date];
      ($("opening") || $("status")).textContent = fill(say[key || "opens_later"],
        { day: mine.name, time: fill(say.both, { here: mine.time, there, zone }) });
    }
  };

  try {
    const here = formatter(), there = formatter(data.zone), moments = data.openings.flat().filter((at) => at);
    if (moments.some((at) => here.format(at * 1000) !== there.format(at * 1000))) local(here, there);
  } catch {
    {# An old browser, or a time zone it does not know: the service's own times stay. #}
  }

  {# At the opening, once, and only for somebody who looks. Not all at the same moment. #}
  const due = Date.now() + data.left * 1000 + 500 + Math.random() * 2000;
  const look = () => {
    if (!document.hidden && Date.now() >= due) { clearInterval(clock); location.reload(); }
  };
  const clock = data.left === null ? undefined : setInterval(look, 1000);
  if (clock) document.addEventListener("visibilitychange", look);

  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const by = event.submitter;
    by.disabled = true;
    fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).then((answer) => {
      if (answer.status >= 500) throw answer;
      location.reload();
    }).catch(() => {
      by.disabled = false;
      $("status").textContent = say.offline;
    });
  });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
